"""The service as users run it, on both stores, with the documents of a real Kuzzle."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from services.measures import Kind
from tests.support import kuzzle
from tests.support.service import ROOT, Service, service

SECRETS = "an end-to-end secret of enough length"

#: Rows of the asset `Container-many`: more than any buffer on the way holds.
MANY = 60_000

#: Ids that mean something in a URL or in CSV; an asset of two measures, and their device.
ODD = {"assets": 'Container-a b/c "é"+%25?&#', "devices": 'DummyTemp-a b/c "é"+%25?&#'}

STORES = ["sqlite", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)]


@dataclass(frozen=True)
class Served:
    """A running service, the settings it runs with, and the engine that it serves."""

    service: Service
    environ: dict[str, str]
    engine: str

    def prepare(self, id: str = "Container-c1", *, kind: Kind = "assets", **options: Any) -> requests.Response:
        """`options` are those of `requests.post`."""
        return requests.post(self.prepare_url(id, kind=kind), timeout=30, **options)

    def prepare_url(self, id: str, *, kind: Kind = "assets") -> str:
        return f"{self.service.url}/_/device-manager/{self.engine}/{kind}/{quote(id, safe='')}/measures/_export"

    def link(self, id: str = "Container-c1", **options: Any) -> str:
        answer = self.prepare(id, **options)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["result"]["link"])


def documents(engine: str) -> kuzzle.Kuzzle:
    """The real ones, an asset with many measures, and two ids that are odd."""
    made = kuzzle.real(engine)
    asset = made.asset(engine, "Container", "many")
    for number in range(MANY):
        made.measure(engine, f"many-{number:06}", {
            "type": "temperature",
            "measuredAt": 1_718_000_000_000 + number * 1000,
            "values": {"temperature": number / 8},
            "asset": {"_id": asset, "model": "Container", "measureName": "temperatureExt"},
            "origin": {"type": "device", "_id": "DummyTemp-many", "deviceModel": "DummyTemp"},
        })  # fmt: skip
    odd = made.asset(engine, "Container", ODD["assets"].partition("-")[2])
    device = made.device(engine, "DummyTemp", ODD["devices"].partition("-")[2])
    for number in range(2):
        made.measure(engine, f"odd-{number}", {
            "type": "temperature",
            "measuredAt": 1_718_000_000_000 + number,
            "values": {"temperature": number},
            "asset": {"_id": odd, "model": "Container", "measureName": "temperatureExt"},
            "origin": {"type": "device", "_id": device, "deviceModel": "DummyTemp", "measureName": "temperature"},
        })  # fmt: skip
    return made


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """On an embedded store filled by the command that README names."""
    folder = tmp_path_factory.mktemp("embedded")
    environ = {"SQLITE_PATH": str(folder / "measures.sqlite3"), "LINK_SECRETS": SECRETS}
    load(documents(kuzzle.REAL_ENGINE).into_folder(folder / "documents"), environ)
    with service(environ, folder / "log") as running:
        yield Served(running, environ, kuzzle.REAL_ENGINE)


@pytest.fixture
def mortal(embedded: Served, tmp_path: Path) -> Iterator[Served]:
    """A service of one worker that the test may kill."""
    environ = {**embedded.environ, "WEB_CONCURRENCY": "1"}
    with service(environ, tmp_path / "log") as running:
        yield Served(running, environ, embedded.engine)


@pytest.fixture(scope="session")
def on_elasticsearch(
    elasticsearch_url: str, unique: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    engine, admin_index = unique("peer"), unique("admin")
    environ = settings(elasticsearch_url, admin_index)
    written = documents(engine)
    written.into_elasticsearch(elasticsearch_url, admin_index=admin_index)
    with service(environ, tmp_path_factory.mktemp("elasticsearch") / "log") as running:
        yield Served(running, environ, engine)
    written.out_of_elasticsearch(elasticsearch_url, admin_index=admin_index)


@pytest.fixture(scope="session", params=STORES)
def served(request: pytest.FixtureRequest) -> Served:
    """Both stores, one after the other."""
    found: Served = request.getfixturevalue("embedded" if request.param == "sqlite" else "on_elasticsearch")
    return found


def settings(elasticsearch_url: str, admin_index: str = kuzzle.ADMIN_INDEX) -> dict[str, str]:
    return {
        "ELASTICSEARCH_URL": elasticsearch_url,
        "ADMIN_INDEX": admin_index,
        "AUTH": "anonymous",
        "LINK_SECRETS": SECRETS,
    }


def load(folder: Path, environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "load", str(folder)]
    subprocess.run(command, cwd=ROOT, env={"PATH": "", **environ}, check=True, capture_output=True)


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that nobody uses: how long it takes to answer is what the machine is busy with."""
    folder = tmp_path_factory.mktemp("idle")
    with service({"SQLITE_PATH": str(folder / "measures.sqlite3"), "WEB_CONCURRENCY": "1"}, folder / "log") as running:
        yield running
