"""Databases made the way users make them."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from services.measures import ExportRequest, Target
from services.scheduling.cpu_turn import CpuTurns
from services.stores.sqlite import SqliteStore, load

NOON = 1_718_000_000_000

Document = tuple[str, dict[str, Any]]


class Database:
    """A database of its own, and the files that fill it; engine `e` with the asset `A-1` and the device `D-1`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "measures.sqlite3")

    @property
    def store(self) -> SqliteStore:
        return SqliteStore(self.path, CpuTurns())

    def file(self, name: str, text: str | bytes) -> Path:
        """In a folder of files; compressed if its name says so."""
        path = self.folder / "files" / name
        path.parent.mkdir(exist_ok=True)
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path.parent

    def load(self, **files: list[Document]) -> Mapping[str, int]:
        """`measures`, `assets`, ... of the engine `e`."""
        for collection, documents in files.items():
            index = "device-manager" if collection in ("models", "config") else "e"
            lines = [json.dumps({"_id": id, "_source": source}) + "\n" for id, source in documents]
            folder = self.file(f"{index}.{collection}.ndjson", "".join(lines))
        counts = load(self.path, folder)
        for path in folder.iterdir():
            path.unlink()
        return counts

    def ids(self, **options: Any) -> list[str]:
        reading = self.store.open(request(**options))
        try:
            return [measure.id for page in reading.pages() for measure in page]
        finally:
            reading.close()


def request(**options: Any) -> ExportRequest:
    """Of the asset `A-1` of the engine `e`, unless told."""
    target = options.pop("target", Target("e", "assets", "A-1"))
    return ExportRequest(**{"export_id": "x1", "target": target, **options})


def measure(id: str, at: Any = NOON, **source: Any) -> Document:
    """Of the asset `A-1`, measured by the device `D-1`, unless told."""
    whole = {
        "measuredAt": at,
        "type": "temperature",
        "values": {"temperature": 1},
        "asset": {"_id": "A-1", "model": "A", "measureName": "inside"},
        "origin": {"type": "device", "_id": "D-1", "deviceModel": "D", "measureName": "temperature"},
    }
    return id, {**whole, **source}


def measure_model(type: str, values: dict[str, Any]) -> Document:
    return f"model-measure-{type}", {"type": "measure", "measure": {"type": type, "valuesMappings": values}}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)
