"""The names under which clients save a download, whatever an id holds."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests

from tests.e2e.conftest import SECRETS, Served, load
from tests.support.kuzzle import Kuzzle
from tests.support.service import service

#: By reference of the asset: the name as prepared, and the plain one that curl takes.
NAMES = {
    "c1": ("asset-Odd-c1.csv", "asset-Odd-c1.csv"),
    "../../etc/passwd": ("asset-Odd-.._.._etc_passwd.csv", "asset-Odd-.._.._etc_passwd.csv"),
    "..／..／etc／passwd": ("asset-Odd-.._.._etc_passwd.csv", "asset-Odd-.._.._etc_passwd.csv"),
    "x＂; filename=evil.sh": ("asset-Odd-x_; filename=evil.sh.csv", "asset-Odd-x__ filename=evil.sh.csv"),
    'x"; filename=evil.sh; y="': ("asset-Odd-x_; filename=evil.sh; y=_.csv", "asset-Odd-x__ filename=evil.sh_ y=_.csv"),
    "C：﹨x": ("asset-Odd-C__x.csv", "asset-Odd-C__x.csv"),
    "a%2F..%2Fb": ("asset-Odd-a%2F..%2Fb.csv", "asset-Odd-a_2F.._2Fb.csv"),
    "…․": ("asset-Odd-…․.csv", "asset-Odd-.....csv"),
    "日" * 120: (f"asset-Odd-{'日' * 49}.csv", "asset-Odd-.csv"),
    "é\u202evsc\u2028": ("asset-Odd-é_vsc_.csv", "asset-Odd-e_vsc_.csv"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("names")
    made = Kuzzle()
    made.asset_model("Odd", {})
    made.engine("names")
    for reference in NAMES:
        made.asset("names", "Odd", reference)
    environ = {"SQLITE_PATH": str(folder / "measures.sqlite3"), "LINK_SECRETS": SECRETS}
    load(made.into_folder(folder / "documents"), environ)
    with service(environ, folder / "log") as running:
        yield Served(running, environ, "names")


@pytest.mark.parametrize("reference", NAMES, ids=range(len(NAMES)))
def test_a_download_is_saved_under_its_name(served: Served, reference: str, tmp_path: Path) -> None:
    """The one that was prepared; by curl the plain one, in the folder where it is."""
    name, plain = NAMES[reference]
    export = served.prepare(f"Odd-{reference}").json()["result"]
    header = requests.get(export["link"], timeout=30).headers["Content-Disposition"]
    assert export["fileName"] == name
    assert unquote(header.partition("filename*=UTF-8''")[2]) == name
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    curl = ["curl", "--silent", "--show-error", "--fail", "--remote-name", "--remote-header-name", export["link"]]
    subprocess.run(curl, cwd=folder, check=True, timeout=30)
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")] == [Path("a/b") / plain]
    assert len(name.encode()) < 255
