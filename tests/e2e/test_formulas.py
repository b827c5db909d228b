"""What a spreadsheet would run is not in a download, whichever character it splits at."""

import csv
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import SECRETS, Served, load
from tests.support.kuzzle import Kuzzle
from tests.support.service import service

#: Notes as they are stored, and as they are written.
NOTES = {
    "plain": "plain",
    "-5": "-5",
    "=1+1": "'=1+1",
    "\0=1+1": "\ufffd=1+1",
    "x;=1+1;y": "x;'=1+1;y",
    "x;-5;y": "x;-5;y",
    "x\t@SUM(A1)": "x\t'@SUM(A1)",
    "x|+1+1": "x|'+1+1",
    'x;"=1+1;y': "x;'\"=1+1;y",
    "a,=1": "a,=1",
}

#: A slot's name is a header, an id a cell.
SLOT = "s;=1+1"


@pytest.mark.parametrize("guard", ["on", "off"])
def test_formulas(tmp_path: Path, guard: str) -> None:
    """Cells and headers; without the guard all is as it was stored."""
    made = Kuzzle()
    made.measure_model("note", {"note": {"type": "keyword"}})
    made.asset_model("Noted", {SLOT: "note"})
    made.engine("notes")
    asset = made.asset("notes", "Noted", "1")
    for number, note in enumerate(NOTES):
        made.measure("notes", f"m;=1+{number}", {
            "type": "note",
            "measuredAt": 1_718_000_000_000 + number,
            "values": {"note": note},
            "asset": {"_id": asset, "model": "Noted", "measureName": SLOT},
        })  # fmt: skip
    environ = {"SQLITE_PATH": str(tmp_path / "db"), "LINK_SECRETS": SECRETS, "CSV_FORMULA_GUARD": guard}
    load(made.into_folder(tmp_path / "documents"), environ)
    with service(environ, tmp_path / "log") as running:
        link = Served(running, environ, "notes").link(asset, json={"sort": {"measuredAt": "asc"}})
        text = requests.get(link, timeout=30).content.decode()
    header, *rows = csv.reader(text.splitlines())
    expected = NOTES if guard == "on" else {note: note for note in NOTES}
    mark = "'" if guard == "on" else ""
    assert header[8] == f"s;{mark}=1+1.note"
    assert [row[0] for row in rows] == [f"m;{mark}=1+{number}" for number in range(len(NOTES))]
    assert [row[8] for row in rows] == list(expected.values())
