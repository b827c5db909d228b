"""A model of 20,000 slots: exported whole, and nobody waits for it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import requests

from tests.e2e.conftest import SECRETS, STORES, Served, load, settings
from tests.support.kuzzle import Kuzzle
from tests.support.service import service

SLOTS = 20_000
MEASURES = 500

#: Leaves of the one type, so that the file has 60,000 columns.
VALUES = {"a": {"type": "float"}, "b": {"properties": {"c": {"type": "float"}, "d": {"type": "keyword"}}}}

#: Seconds that health may take; the rest of the machine is busy, too.
HEALTH_SECONDS = 0.3


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


class Health(Thread):
    """Asks for it again and again; `slowest` is in seconds."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.slowest = 0.0
        self.asked = 0
        self.over = False

    def run(self) -> None:
        with requests.Session() as session:
            while not self.over:
                began = time.monotonic()
                session.get(f"{self.url}/_healthz", timeout=30).raise_for_status()
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.asked += 1
                time.sleep(0.005)


def test_twenty_thousand_slots(served: Served) -> None:
    """The model's columns in its order, then those of slots beside it by name; each cell in its place."""
    health = Health(served.service.url)
    health.start()
    try:
        answer = served.prepare("Wide-1", json={"sort": {"measuredAt": "asc"}})
        assert answer.status_code == 200, answer.text
        export = answer.json()["result"]
        text = requests.get(export["link"], timeout=60).text
    finally:
        health.over = True
        health.join()
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
    assert (health.slowest < HEALTH_SECONDS, health.asked > 10) == (True, True), health.slowest
