"""Engines whose measures are in indices of any mapping and settings, one or several behind the alias."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from tests.support.kuzzle import ADMIN_INDEX, REAL_ENGINE, Kuzzle, bulk_bodies, real_mapping, write

JSON = dict[str, Any]

NOON = 1_718_000_000_000

#: What every engine here has: an asset, and a device, of models with one slot each.
ASSET, DEVICE = "Box-A 1", "Sensor-S 1"

#: How Elasticsearch maps what it was told nothing about.
DYNAMIC: JSON = {"dynamic": True}


@dataclass(frozen=True)
class Index:
    """`mapping`: by default Kuzzle's own. `settings`: of the index."""

    documents: Mapping[str, JSON] = field(default_factory=dict)
    mapping: JSON = field(default_factory=lambda: strict())
    settings: JSON = field(default_factory=dict)


class Engines:
    """On one Elasticsearch, of one admin index, which is written when this is made; `unique` makes names."""

    def __init__(
        self, url: str, unique: Callable[[str], str], admin: Mapping[str, Sequence[Index]] | None = None
    ) -> None:
        """`admin`: indices of its collections, if not as Kuzzle has them."""
        self._url = url
        self._unique = unique
        self._session = requests.Session()
        self._made: list[str] = []
        self.admin_index = unique("admin")
        own = {name: [Index(of.documents, of.mapping)] for (_, name), of in models().collections.items()}
        for collection, indices in {**own, **(admin or {})}.items():
            for number, index in enumerate(indices):
                self._create(f"{self.admin_index}.{collection}", f"-{number}" if number else "", index)

        self._shared = self._assets()

    def _assets(self) -> dict[str, str]:
        """The indices of assets and devices of all engines, by collection."""
        name = self._unique("shared")
        kuzzle = Kuzzle()
        kuzzle.engine(name)
        for add, id in ((kuzzle.asset, ASSET), (kuzzle.device, DEVICE)):
            model, _, reference = id.partition("-")
            add(name, model, reference)
        made = {collection: kuzzle.collections[name, collection] for collection in ("assets", "devices")}
        return {
            collection: self._create(f"{name}.{collection}", "", Index(of.documents, of.mapping))
            for collection, of in made.items()
        }

    def add(self, *indices: Index, beside: Mapping[str, Index] | None = None) -> str:
        """An engine whose measures are in these: its name. `beside`: other collections, if not as Kuzzle has them."""
        engine = self._unique("several")
        kuzzle = Kuzzle()
        kuzzle.engine(engine)
        self._write(f"&{self.admin_index}.config", kuzzle.collections[ADMIN_INDEX, "config"].documents)
        for collection, shared in self._shared.items():
            if beside and collection in beside:
                self._create(f"{engine}.{collection}", "", beside[collection])
            else:
                action = {"add": {"index": shared, "alias": f"@&{engine}.{collection}"}}
                self._session.post(f"{self._url}/_aliases", json={"actions": [action]}).raise_for_status()
        for number, index in enumerate(indices):
            self.join(engine, index, number)
        return engine

    def join(self, engine: str, index: Index, number: int) -> str:
        """One more behind the alias of the engine's measures: its name."""
        return self._create(f"{engine}.measures", f"-{number}", index)

    def remove(self) -> None:
        for name in self._made:
            self._session.delete(f"{self._url}/{quote(name)}").raise_for_status()
        self._session.close()

    def _create(self, name: str, suffix: str, index: Index) -> str:
        own = f"&{name}{suffix}"
        body = {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0, **index.settings},
            "mappings": index.mapping,
            "aliases": {f"@&{name}": {}},
        }
        answer = self._session.put(f"{self._url}/{quote(own)}", json=body)
        assert answer.status_code == 200, answer.text
        self._made.append(own)
        self._write(own, index.documents)
        return own

    def _write(self, index: str, documents: Mapping[str, JSON]) -> None:
        for bulk in bulk_bodies(documents):
            write(self._session, f"{self._url}/{quote(index)}/_bulk?refresh=true", bulk)


def models() -> Kuzzle:
    kuzzle = Kuzzle()
    kuzzle.measure_model("temperature", {"t": {"type": "float"}, "code": {"type": "keyword"}})
    kuzzle.asset_model("Box", {"inside": "temperature"})
    kuzzle.device_model("Sensor", {"probe": "temperature"})
    return kuzzle


def strict(values: JSON | None = None, **root: Any) -> JSON:
    """Kuzzle's own mapping of measures, with these fields of `values`; `root`: other keys, at its root."""
    mapping = real_mapping(REAL_ENGINE, "measures")
    mapping["properties"]["values"] = {"properties": {"t": {"type": "float"}, **(values or {})}}
    return {**mapping, **root}


def with_field(path: str, definition: JSON, mapping: JSON | None = None) -> JSON:
    """Kuzzle's own mapping, but for the definition of one path."""
    found = strict() if mapping is None else mapping
    *above, key = path.split(".")
    holder = found["properties"]
    for name in above:
        holder = holder[name]["properties"]
    holder[key] = definition
    return found


def without_field(path: str, *, dynamic: Any) -> JSON:
    """Kuzzle's own mapping without a path; `dynamic`: of all."""
    found = {**strict(), "dynamic": dynamic}
    *above, key = path.split(".")
    holder = found["properties"]
    for name in above:
        holder = holder[name]["properties"]
    del holder[key]
    return found


def measure(at: Any = NOON, *, slot: str = "inside", type: str = "temperature", **values: Any) -> JSON:
    """Of the asset, by the device. `at` ...: absent."""
    source = {
        "type": type,
        "measuredAt": at,
        "values": values or {"t": 1},
        "asset": {"_id": ASSET, "model": "Box", "measureName": slot},
        "origin": {"type": "device", "_id": DEVICE, "deviceModel": "Sensor", "measureName": "probe"},
    }
    return {name: value for name, value in source.items() if value is not ...}
