"""A model of 20,000 slots: exported whole, and nobody waits for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import SECRETS, STORES, Served, load, settings
from tests.support.health import healthy
from tests.support.kuzzle import Kuzzle
from tests.support.service import Service, service

SLOTS = 20_000
MEASURES = 500

#: Leaves of the one type, so that the file has 60,000 columns.
VALUES = {"a": {"type": "float"}, "b": {"properties": {"c": {"type": "float"}, "d": {"type": "keyword"}}}}


def wide(engine: str) -> Kuzzle:
    """Every slot of the model, and some that it does not know, each measured once or not at all."""
    made = Kuzzle()
    made.measure_model("triple", VALUES)
    made.asset_model("Wide", {f"slot-{number}": "triple" for number in range(SLOTS)})
    made.engine(engine)
    asset = made.asset(engine, "Wide", "1")
    for number in range(MEASURES):
        made.measure(engine, f"m-{number:04}", {
            "type": "triple",
            "measuredAt": 1_718_000_000_000 + number,
            "values": {"a": number, "b": {"c": number + 0.5, "d": f"text {number}"}},
            "asset": {"_id": asset, "model": "Wide", "measureName": f"slot-{SLOTS - 100 + number}"},
            "origin": {"type": "device", "_id": "D-1", "deviceModel": "D", "measureName": "t"},
        })  # fmt: skip
    return made


@pytest.fixture(params=STORES)
def served(request: pytest.FixtureRequest, unique: Callable[[str], str], tmp_path: Path) -> Iterator[Served]:
    """One worker, on each store."""
    engine, admin_index = unique("wide"), unique("admin")
    if request.param == "sqlite":
        environ = {"SQLITE_PATH": str(tmp_path / "measures.sqlite3"), "LINK_SECRETS": SECRETS}
        load(wide(engine).into_folder(tmp_path / "documents"), environ)
        with service(environ | {"WEB_CONCURRENCY": "1"}, tmp_path / "log") as running:
            yield Served(running, environ, engine)
        return
    url = request.getfixturevalue("elasticsearch_url")
    environ = settings(url, admin_index) | {"WEB_CONCURRENCY": "1"}
    written = wide(engine)
    written.into_elasticsearch(url, admin_index=admin_index)
    with service(environ, tmp_path / "log") as running:
        yield Served(running, environ, engine)
    written.out_of_elasticsearch(url, admin_index=admin_index)


def test_twenty_thousand_slots(served: Served, idle: Service) -> None:
    """The model's columns in its order, then those of slots beside it by name; each cell in its place."""
    with healthy(served.service, idle):  # it was silent for 6 s
        for _ in range(3):
            answer = served.prepare("Wide-1", json={"sort": {"measuredAt": "asc"}})
            assert answer.status_code == 200, answer.text
            export = answer.json()["result"]
            text = requests.get(export["link"], timeout=60).text
    header, *rows = text.splitlines()
    own = [f"slot-{number}" for number in range(SLOTS)]
    beside = sorted(f"slot-{number}" for number in range(SLOTS, SLOTS + MEASURES - 100))
    names = [f"{slot}.{leaf}" for slot in own + beside for leaf in ("a", "b.c", "b.d")]
    assert header.split(",")[8:] == names
    assert (export["estimatedRows"], len(rows)) == (MEASURES, MEASURES)
    places = {name: place for place, name in enumerate(names)}
    for number, row in enumerate(rows):
        cells = row.split(",")[8:]
        place = places[f"slot-{SLOTS - 100 + number}.a"]
        assert cells[place : place + 3] == [str(number), f"{number}.5", f"text {number}"]
        assert len(cells) == len(names)
        assert sum(map(bool, cells)) == 3
