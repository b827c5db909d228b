"""The measures of benchmarks: as Kuzzle stores them, as Elasticsearch answers them, 789 bytes of JSON each."""

import json
import random
from typing import Any

from services.measures import Kind, Model, Slot

KIND: Kind = "assets"
ASSET = "Container-bench"
DEVICES = 20
START_MS = 1_700_000_000_000
STEP_MS = 5_017

MODEL = Model(
    "Container",
    (
        Slot("temperatureExt", "temperature"),
        Slot("temperatureInt", "temperature"),
        Slot("position", "position"),
        Slot("accelerationSensor", "acceleration"),
    ),
)
SLOTS = list(MODEL.slots)
MAPPINGS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": {"type": "float"}},
    "position": {"position": {"type": "geo_point"}, "accuracy": {"type": "float"}, "altitude": {"type": "float"}},
    "acceleration": {
        "acceleration": {"properties": {"x": {"type": "float"}, "y": {"type": "float"}, "z": {"type": "float"}}},
        "accuracy": {"type": "float"},
    },
}
ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def hit(row: int) -> dict[str, Any]:
    """The measure in place `row`, oldest first; always the same."""
    chance = random.Random(row)
    source = measure(row, chance)
    id_ = "".join(chance.choices(ID_LETTERS, k=20))
    at = source["measuredAt"]
    return {"_index": "&engine.measures", "_id": id_, "_score": None, "_source": source, "sort": [at, row, row]}


def measure(row: int, chance: random.Random) -> dict[str, Any]:
    slot = SLOTS[row % len(SLOTS)]
    at = START_MS + row * STEP_MS
    device = f"DummyTempPosition-{row // len(SLOTS) % DEVICES:04}"
    return {
        "_kuzzle_info": {"author": None, "createdAt": at + 1234, "updatedAt": None, "updater": None},
        "asset": {
            "_id": ASSET,
            "groups": [],
            "measureName": slot.name,
            "metadata": {"weight": 1200, "height": 20},
            "model": MODEL.name,
            "reference": "bench",
            "softTenant": [],
        },
        "measuredAt": at,
        "origin": {
            "_id": device,
            "deviceMetadata": {"serial": "SN-" + "0" * 79},
            "deviceModel": "DummyTempPosition",
            "measureName": slot.type,
            "payloadUuids": [_uuid(chance)],
            "reference": device[-4:],
            "type": "device",
        },
        "type": slot.type,
        "values": _values(slot.type, chance),
    }


def _values(type_: str | None, chance: random.Random) -> dict[str, Any]:
    def number(low: float, high: float, digits: int) -> float:
        return round(chance.uniform(low, high), digits)

    if type_ == "temperature":
        return {"temperature": number(-20, 40, 1)}
    if type_ == "position":
        point = {"lat": number(-90, 90, 6), "lon": number(-180, 180, 6)}
        return {"position": point, "accuracy": chance.randint(1, 50), "altitude": number(0, 900, 1)}
    axes = {axis: number(-2, 2, 3) for axis in "xyz"}
    return {"acceleration": axes, "accuracy": number(0, 1, 2)}


def _uuid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def answer(first: int, rows: int) -> bytes:
    """A page of `rows` measures as a search answers it."""
    hits = [hit(row) for row in range(first, first + rows)]
    whole = {
        "took": 5,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "failed": 0},
        "hits": {"hits": hits},
    }
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
