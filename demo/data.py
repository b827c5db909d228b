"""The demo data: an engine `demo` as Kuzzle stores one, June 2024. The same bytes every time, on any machine.

Measures come from plain arithmetic and `random()` of a fixed seed: no libm, no clock, no order of a
set.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from random import Random
from typing import Any

import msgspec

ENGINE = "demo"
ADMIN_INDEX = "device-manager"

#: 2024-06-01T00:00:00.000Z
START_MS = 1_717_200_000_000
DAYS = 30
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS

FLOAT = {"type": "float"}

#: `valuesMappings` by measure type.
MEASURES: Mapping[str, Mapping[str, Any]] = {
    "temperature": {"temperature": FLOAT},
    "humidity": {"humidity": FLOAT},
    "position": {"position": {"type": "geo_point"}, "accuracy": FLOAT, "altitude": FLOAT},
    "movement": {"movement": {"type": "boolean"}},
    "battery": {"battery": {"type": "integer"}},
    "acceleration": {"acceleration": {"properties": {"x": FLOAT, "y": FLOAT, "z": FLOAT}}, "accuracy": FLOAT},
}

#: Type by slot, by model.
ASSET_MODELS: Mapping[str, Mapping[str, str]] = {
    "Container": {
        "temperatureExt": "temperature",
        "temperatureInt": "temperature",
        "position": "position",
        "temperatureWeather": "temperature",
    },
    "Room": {"temperature": "temperature", "humidity": "humidity", "movement": "movement"},
}
DEVICE_MODELS: Mapping[str, Mapping[str, str]] = {
    "DummyTemp": {"temperature": "temperature", "accelerationSensor": "acceleration", "battery": "battery"},
    "DummyTempPosition": {"temperature": "temperature", "battery": "battery", "position": "position"},
    "Ambient": {"temperature": "temperature", "humidity": "humidity", "movement": "movement", "battery": "battery"},
}

JSON = dict[str, Any]


@dataclass(frozen=True)
class Series:
    """Measures of one slot, one every `minutes`. `asset_slot`: where the device is linked; `device` `None`: the API."""

    type: str
    minutes: int
    device: str | None
    device_slot: str
    asset: str | None = None
    asset_slot: str | None = None

    @property
    def name(self) -> str:
        return f"{self.device}/{self.device_slot}/{self.asset}/{self.asset_slot}"


def container(asset: str, inner: str, outer: str) -> tuple[Series, ...]:
    """A container, with a thermometer inside and a tracker outside."""
    return (
        Series("temperature", 5, outer, "temperature", asset, "temperatureExt"),
        Series("temperature", 5, inner, "temperature", asset, "temperatureInt"),
        Series("position", 20, outer, "position", asset, "position"),
        Series("temperature", 60, None, "temperature", asset, "temperatureWeather"),
        Series("acceleration", 10, inner, "accelerationSensor"),
        Series("battery", 60, inner, "battery"),
        Series("battery", 60, outer, "battery"),
    )


def room(asset: str, device: str, minutes: int) -> tuple[Series, ...]:
    return (
        Series("temperature", minutes, device, "temperature", asset, "temperature"),
        Series("humidity", minutes, device, "humidity", asset, "humidity"),
        Series("movement", minutes, device, "movement", asset, "movement"),
        Series("battery", 60, device, "battery"),
    )


SERIES = (
    *container("Container-c1", "DummyTemp-d1", "DummyTempPosition-p1"),
    *container("Container-c2", "DummyTemp-d2", "DummyTempPosition-p2"),
    *room("Room-r1", "Ambient-a1", 5),
    *room("Room-r2", "Ambient-a2", 8),
    *room("Room-été 3", "Ambient-a3", 30),
)


def write(folder: Path, *, admin_index: str = ADMIN_INDEX) -> None:
    """As files that `load` reads. `admin_index`: where engines and models go."""
    for name, documents in (
        (f"{admin_index}.config", engines()),
        (f"{admin_index}.models", models()),
        (f"{ENGINE}.assets", assets()),
        (f"{ENGINE}.devices", devices()),
        (f"{ENGINE}.measures", measures()),
    ):
        lines = (msgspec.json.encode({"_id": id, "_source": source}) for id, source in documents)
        (folder / f"{name}.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))


Documents = Iterator[tuple[str, JSON]]


def engines() -> Documents:
    source = {"type": "engine-device-manager", "engine": {"group": "commons", "index": ENGINE, "name": ADMIN_INDEX}}
    yield f"engine-{ADMIN_INDEX}--{ENGINE}", source


def models() -> Documents:
    for type, mappings in MEASURES.items():
        yield f"model-measure-{type}", {"type": "measure", "measure": {"type": type, "valuesMappings": mappings}}
    for model, slots in ASSET_MODELS.items():
        source = {"type": "asset", "engineGroup": "commons", "asset": {"model": model, "measures": listed(slots)}}
        yield f"model-asset-{model}", source
    for model, slots in DEVICE_MODELS.items():
        yield f"model-device-{model}", {"type": "device", "device": {"model": model, "measures": listed(slots)}}


def listed(slots: Mapping[str, str]) -> list[JSON]:
    return [{"name": name, "type": type} for name, type in slots.items()]


def assets() -> Documents:
    for id in named(series.asset for series in SERIES):
        linked = [
            {"_id": device, "measureNames": [link(series) for series in SERIES if linking(series) == (id, device)]}
            for device in named(series.device for series in SERIES if series.asset == id)
        ]
        yield id, twin(id) | {"groups": [], "linkedDevices": linked}


def devices() -> Documents:
    for id in named(series.device for series in SERIES):
        (asset,) = named(series.asset for series in SERIES if series.device == id)
        yield id, twin(id) | {"assetId": asset, "engineId": ENGINE}


def named(ids: Iterator[str | None]) -> Sequence[str]:
    """Each once, in order."""
    return list(dict.fromkeys(id for id in ids if id is not None))


def linking(series: Series) -> tuple[str | None, str | None]:
    return series.asset, series.device


def link(series: Series) -> JSON:
    return {"asset": series.asset_slot, "device": series.device_slot, "type": series.type}


def twin(id: str) -> JSON:
    model, _, reference = id.partition("-")
    return {"model": model, "reference": reference, "metadata": {}, "measures": {}}


def measures() -> Documents:
    """In order of time; at the same instant in order of the series."""
    yield from ((id, source) for _, _, id, source in merge(*(series_of(number) for number in range(len(SERIES)))))


def series_of(number: int) -> Iterator[tuple[int, int, str, JSON]]:
    series = SERIES[number]
    chance = Random(series.name)  # noqa: S311  no secret: the same for all
    values = VALUES[series.type]
    asset, origin = holder(series), source_of(series)
    for at in range(START_MS, START_MS + DAYS * DAY_MS, series.minutes * MINUTE_MS):
        id = base64.urlsafe_b64encode(chance.getrandbits(120).to_bytes(15, "big")).decode()
        measure = {
            "asset": asset,
            "measuredAt": at,
            "origin": origin,
            "type": series.type,
            "values": values(chance, at),
        }
        yield at, number, id, measure


def holder(series: Series) -> JSON | None:
    if series.asset is None:
        return None
    model, _, reference = series.asset.partition("-")
    return {
        "_id": series.asset, "groups": [], "measureName": series.asset_slot, "metadata": {}, "model": model,
        "reference": reference,
    }  # fmt: skip


def source_of(series: Series) -> JSON:
    if series.device is None:
        return {"_id": "weather-service", "measureName": series.asset_slot, "payloadUuids": [], "type": "api"}
    model, _, reference = series.device.partition("-")
    return {
        "_id": series.device, "deviceMetadata": {}, "deviceModel": model, "measureName": series.device_slot,
        "payloadUuids": [], "reference": reference, "type": "device",
    }  # fmt: skip


def temperature(chance: Random, at: int) -> JSON:
    return {"temperature": round(12 + 10 * warmth(at) + noise(chance, 1), 1)}


def humidity(chance: Random, at: int) -> JSON:
    return {"humidity": round(65 - 20 * warmth(at) + noise(chance, 3), 1)}


def position(chance: Random, at: int) -> JSON:
    """From Paris to Lyon within the month."""
    way = (at - START_MS) / (DAYS * DAY_MS)
    point = {"lat": round(48.85 - 3.09 * way, 5), "lon": round(2.35 + 2.48 * way, 5)}
    return {
        "position": point,
        "accuracy": 3 + chance.getrandbits(4),
        "altitude": round(35 + 130 * way + noise(chance, 2), 1),
    }


def movement(chance: Random, at: int) -> JSON:
    return {"movement": chance.random() < warmth(at)}


def battery(chance: Random, at: int) -> JSON:
    return {"battery": 100 - (at - START_MS) * 60 // (DAYS * DAY_MS)}


def acceleration(chance: Random, at: int) -> JSON:
    axes = {"x": round(noise(chance, 0.2), 3), "y": round(noise(chance, 0.2), 3), "z": round(1 + noise(chance, 0.2), 3)}
    return {"acceleration": axes, "accuracy": 0.1}


def noise(chance: Random, most: float) -> float:
    return (2 * chance.random() - 1) * most


def warmth(at: int) -> float:
    """Of the hour: 0 at two in the night, 1 at two in the afternoon."""
    hour = at % DAY_MS / DAY_MS * 24
    return 1 - abs((hour - 2) % 24 - 12) / 12


VALUES = {
    "temperature": temperature,
    "humidity": humidity,
    "position": position,
    "movement": movement,
    "battery": battery,
    "acceleration": acceleration,
}
