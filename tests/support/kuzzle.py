"""What a Kuzzle holds, for tests: engines, models, assets, devices, measures; written where a store reads them.

Into Elasticsearch as Kuzzle 2.56 writes it (index `&<index>.<collection>`, alias `@&<index>.<collection>`, its own
mappings), and into a folder of NDJSON files for the embedded store; in the same order.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

JSON = dict[str, Any]

#: Documents that a real Kuzzle wrote, with its mappings.
REAL = Path(__file__).parents[1] / "data" / "kuzzle"
REAL_ENGINE = "engine-peer"
ADMIN_INDEX = "device-manager"

#: Documents, and bytes of them, that are written at a time: Elasticsearch takes 100 MB.
BULK_LINES, BULK_BYTES = 5000, 20_000_000


@dataclass
class Collection:
    """Documents by id, in order of insertion, and the mapping of their index."""

    mapping: JSON
    documents: dict[str, JSON] = field(default_factory=dict)


class Kuzzle:
    """Verbs return the ids of what they add. Models and engines go into the admin index, named when it is written."""

    def __init__(self) -> None:
        self.collections: dict[tuple[str, str], Collection] = {}
        for collection in ("config", "models"):
            self.collections[ADMIN_INDEX, collection] = Collection(real_mapping(ADMIN_INDEX, collection))

    def engine(self, engine: str, *, group: str = "commons", values: JSON | None = None) -> str:
        """`values`: mapping properties of `values`, beside those of the measure models added so far."""
        for collection in ("assets", "devices", "measures"):
            self.collections[engine, collection] = Collection(real_mapping(REAL_ENGINE, collection))
        self.collections[engine, "measures"].mapping["properties"]["values"]["properties"] = {
            **self._declared_values(),
            **(values or {}),
        }
        source: JSON = {"type": "engine-device-manager", "engine": {"group": group, "index": engine}}
        return self.add(ADMIN_INDEX, "config", f"engine-device-manager--{engine}", source)

    def measure_model(self, type: str, values: JSON) -> str:
        source = {"type": "measure", "measure": {"type": type, "valuesMappings": values}}
        return self.add(ADMIN_INDEX, "models", f"model-measure-{type}", source)

    def asset_model(self, model: str, slots: Mapping[str, str], *, group: str = "commons") -> str:
        """`slots`: type of measure by name of slot."""
        source = {"type": "asset", "engineGroup": group, "asset": {"model": model, "measures": measures_of(slots)}}
        return self.add(ADMIN_INDEX, "models", f"model-asset-{model}", source)

    def device_model(self, model: str, slots: Mapping[str, str]) -> str:
        source = {"type": "device", "device": {"model": model, "measures": measures_of(slots)}}
        return self.add(ADMIN_INDEX, "models", f"model-device-{model}", source)

    def asset(self, engine: str, model: str, reference: str) -> str:
        source: JSON = {"model": model, "reference": reference, "metadata": {}, "groups": [], "linkedDevices": []}
        return self.add(engine, "assets", f"{model}-{reference}", source)

    def device(self, engine: str, model: str, reference: str) -> str:
        source: JSON = {"model": model, "reference": reference, "metadata": {}, "assetId": None, "engineId": engine}
        return self.add(engine, "devices", f"{model}-{reference}", source)

    def measure(self, engine: str, id: str, source: JSON) -> str:
        return self.add(engine, "measures", id, source)

    def add(self, index: str, collection: str, id: str, source: JSON) -> str:
        self.collections[index, collection].documents[id] = source
        return id

    def into_elasticsearch(self, url: str, *, admin_index: str = ADMIN_INDEX, shards: int = 1) -> None:
        """Searchable on return. Raises `RuntimeError` when Elasticsearch refuses a document."""
        with requests.Session() as session:
            for name, content in self._named(admin_index):
                create(session, url, name, content.mapping, shards)
                for body in bulk_bodies(content.documents):
                    write(session, f"{index_url(url, name)}/_bulk", body)
                session.post(f"{index_url(url, name)}/_refresh").raise_for_status()

    def out_of_elasticsearch(self, url: str, *, admin_index: str = ADMIN_INDEX) -> None:
        """Delete what was written there."""
        with requests.Session() as session:
            for name, _ in self._named(admin_index):
                session.delete(index_url(url, name)).raise_for_status()

    def into_folder(self, folder: Path, *, admin_index: str = ADMIN_INDEX) -> Path:
        """`<index>.<collection>.ndjson`, one `{"_id", "_source"}` a line; the folder is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self._named(admin_index):
            lines = (dumps({"_id": id, "_source": source}) + "\n" for id, source in content.documents.items())
            (folder / f"{name}.ndjson").write_text("".join(lines), encoding="utf-8")
        return folder

    def _named(self, admin_index: str) -> Iterator[tuple[str, Collection]]:
        for (index, collection), content in self.collections.items():
            yield f"{admin_index if index == ADMIN_INDEX else index}.{collection}", content

    def _declared_values(self) -> JSON:
        models = self.collections[ADMIN_INDEX, "models"].documents.values()
        return {
            name: mapping
            for model in models
            if model["type"] == "measure"
            for name, mapping in model["measure"]["valuesMappings"].items()
        }


def real(engine: str = REAL_ENGINE) -> Kuzzle:
    """The documents of the real Kuzzle, whole, with the engine under this name (a shared Elasticsearch may hold it)."""
    kuzzle = Kuzzle()
    for path in sorted(REAL.glob("*.ndjson")):
        index, collection, _ = path.name.split(".")
        renamed = engine if index == REAL_ENGINE else index
        kuzzle.collections[renamed, collection] = Collection(real_mapping(index, collection))
        for line in path.read_text(encoding="utf-8").splitlines():
            document = json.loads(line)
            id = document["_id"].replace(f"--{REAL_ENGINE}", f"--{engine}")
            kuzzle.add(renamed, collection, id, document["_source"])
    kuzzle.collections[ADMIN_INDEX, "config"].documents[f"engine-device-manager--{engine}"]["engine"]["index"] = engine
    return kuzzle


def real_mapping(index: str, collection: str) -> JSON:
    mapping: JSON = json.loads((REAL / f"{index}.{collection}.mapping.json").read_text(encoding="utf-8"))["mappings"]
    return mapping


def measures_of(slots: Mapping[str, str]) -> list[JSON]:
    return [{"name": name, "type": type} for name, type in slots.items()]


def dumps(value: Any) -> str:
    """Compact, as Kuzzle stores it; text that is no Unicode is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def index_url(url: str, name: str) -> str:
    return f"{url}/{quote(f'&{name}')}"


def create(session: requests.Session, url: str, name: str, mapping: JSON, shards: int) -> None:
    body = {
        "settings": {"number_of_shards": shards, "number_of_replicas": 0},
        "mappings": mapping,
        "aliases": {f"@&{name}": {}},
    }
    answer = session.put(index_url(url, name), json=body)
    if answer.status_code != 200:
        raise RuntimeError(f"{name}: {answer.text}")


def bulk_bodies(documents: Mapping[str, JSON]) -> Iterator[bytes]:
    lines = [
        f"{dumps({'create': {'_id': id}})}\n{dumps(source)}\n".encode() for id, source in documents.items()
    ]  # fmt: skip
    start = size = 0
    for end, line in enumerate(lines):
        if end - start == BULK_LINES or size + len(line) > BULK_BYTES:
            yield b"".join(lines[start:end])
            start, size = end, 0
        size += len(line)
    if lines:
        yield b"".join(lines[start:])


def write(session: requests.Session, url: str, body: bytes) -> None:
    answer = session.post(url, data=body, headers={"Content-Type": "application/x-ndjson"})
    answer.raise_for_status()
    refused = [item["create"] for item in answer.json()["items"] if item["create"]["status"] >= 300]
    if refused:
        raise RuntimeError(f"Elasticsearch refused {len(refused)} documents, the first: {refused[0]}")
