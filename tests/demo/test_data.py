"""The demo data: the same for all, and of every kind."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from demo import data
from services.instants import iso
from services.measures import ExportRequest, Kind, Slot, Target
from services.scheduling.cpu_turn import CpuTurns
from services.stores.sqlite import SqliteStore, load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    data.write(folder)
    return folder


@pytest.fixture(scope="module")
def store(files: Path, tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    path = str(tmp_path_factory.mktemp("store") / "measures.sqlite3")
    load(path, files)
    return SqliteStore(path, CpuTurns())


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_same_bytes_every_time(files: Path) -> None:
    """Whatever the machine, the Python, the day."""
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files.iterdir()}
    assert sums == {
        "demo.assets.ndjson": "de46b468d5b941ee",
        "demo.devices.ndjson": "bc0ea4fa30211a9f",
        "demo.measures.ndjson": "6842575f2fa1cfb5",
        "device-manager.config.ndjson": "b7d0761958f79f28",
        "device-manager.models.ndjson": "6f49daf7ee4a19e9",
    }


def test_measures(files: Path) -> None:
    """100,440 over June 2024 of every type, each once, in order of time; README's asset has as many as it says."""
    measures = read(files / "demo.measures.ndjson")
    instants = [measure["_source"]["measuredAt"] for measure in measures]
    assert len({measure["_id"] for measure in measures}) == len(measures) == 100_440
    assert instants == sorted(instants)
    assert (iso(instants[0]), iso(instants[-1])) == ("2024-06-01T00:00:00.000Z", "2024-06-30T23:55:00.000Z")
    assert {measure["_source"]["type"] for measure in measures} == set(data.MEASURES)
    assets = Counter((measure["_source"]["asset"] or {}).get("_id") for measure in measures)
    assert assets["Container-c1"] == 20_160


def test_ids_are_as_elasticsearch_makes_them(files: Path) -> None:
    """20 characters, some beginning with `-`."""
    ids = [measure["_id"] for measure in read(files / "demo.measures.ndjson")]
    assert {len(id) for id in ids} == {20}
    assert any(id.startswith("-") for id in ids)


@pytest.mark.parametrize(
    ("kind", "id", "slots"),
    [
        ("assets", "Container-c1", data.ASSET_MODELS["Container"]),
        ("assets", "Room-été 3", data.ASSET_MODELS["Room"]),
        ("devices", "DummyTemp-d1", data.DEVICE_MODELS["DummyTemp"]),
        ("devices", "Ambient-a2", data.DEVICE_MODELS["Ambient"]),
    ],
)
def test_every_slot_has_measures(store: SqliteStore, kind: Kind, id: str, slots: dict[str, str]) -> None:
    """Of its type, and nothing beside the model."""
    target = Target("demo", kind, id)
    reading = store.open(ExportRequest(export_id="x1", target=target))
    expected = {Slot(name, type) for name, type in slots.items()}
    assert set(reading.slots) == set(store.model(target).slots) == expected
    reading.close()
