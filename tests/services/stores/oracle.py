"""The CSV of the real Kuzzle's documents, read plainly: slow, short, and nothing of the service in it."""

import csv as library
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

FIXED = [
    "Measure Id", "Measured At", "Measured At ISO", "Measure Type",
    "Device Id", "Device Model", "Asset Id", "Asset Model",
]  # fmt: skip

POSITION = ["position.position", "position.accuracy", "position.altitude"]

#: What the models of these documents make of columns.
COLUMNS = {
    "Container-c1": ["temperatureExt.temperature", "temperatureInt.temperature", *POSITION],
    "DummyTempPosition-d1": ["temperature.temperature", "battery.battery", *POSITION],
    "DummyTemp-d2": ["temperature.temperature"],
}


def csv(documents: Mapping[str, dict[str, Any]], kind: str, id: str, *, newest_first: bool) -> str:
    holder = "asset" if kind == "assets" else "origin"
    of_target = [
        (document, source)
        for document, source in documents.items()
        if (source.get(holder) or {}).get("_id") == id and (kind == "assets" or source["origin"]["type"] == "device")
    ]
    of_target.sort(key=lambda entry: -entry[1]["measuredAt"] if newest_first else entry[1]["measuredAt"])
    text = io.StringIO()
    writer = library.writer(text, lineterminator="\n")
    writer.writerow([*FIXED, *COLUMNS[id]])
    writer.writerows(
        row(document, source, source[holder]["measureName"], COLUMNS[id]) for document, source in of_target
    )
    return text.getvalue()


def row(id: str, source: dict[str, Any], slot: str, columns: list[str]) -> list[str]:
    at = source["measuredAt"]
    origin, asset = source["origin"], source.get("asset") or {}
    cells = {f"{slot}.{name}": value for name, value in source["values"].items()}
    return [
        id, str(at), iso(at), source.get("type") or "",
        origin["_id"], origin.get("deviceModel") or "", asset.get("_id") or "", asset.get("model") or "",
        *(cell(cells.get(column)) for column in columns),
    ]  # fmt: skip


def iso(ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def cell(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps({name: plain(number) for name, number in value.items()}, separators=(",", ":"))
    return "" if value is None else str(plain(value))


def plain(number: float) -> float:
    return int(number) if number == int(number) else number
