"""Documents in an Elasticsearch index of their own, as measures of one device, under mappings of every flavour."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from services.filters.elasticsearch.translate import translate
from services.filters.koncorde.nodes import Filter
from services.filters.python import evaluator
from services.mapping import Fields
from services.measures import ExportRequest, Measure, SortKey, Target
from services.stores.elasticsearch import ElasticsearchStore
from tests.support.kuzzle import dumps, index_url

JSON = dict[str, Any]

#: Id and fields of a measure: all that a row of the file is made of.
Row = tuple[str, Any, Any, Any, Any, Any]

DEVICE = "D-1"

#: What makes a measure of the device of a document.
MEASURE = {
    "origin": {"properties": {"_id": {"type": "keyword"}, "type": {"type": "keyword"}}},
    "measuredAt": {"type": "date"},
}

SCALARS = ["string", "long", "double", "boolean", "date"]


def typed(type: str, **options: Any) -> JSON:
    """Every field of this type, whatever it holds; objects are geopoints where these are wanted."""
    kinds = [*SCALARS, "object"] if type == "geo_point" else SCALARS
    template = {"match_mapping_type": kinds, "mapping": {"type": type, **options}}
    return {"dynamic": True, "dynamic_templates": [{"every": template}], "properties": MEASURE}


#: Mappings by name. A document that one does not take is not in its index.
FLAVOURS: Mapping[str, JSON] = {
    "unmapped": {"dynamic": False, "properties": MEASURE},
    "dynamic": {"dynamic": True, "properties": MEASURE},
    "keyword": typed("keyword"),
    "short keyword": typed("keyword", ignore_above=3),
    "keyword for null": typed("keyword", null_value="a"),
    "copied keyword": typed("keyword", copy_to=["f", "a", "s"]),
    "text": typed("text", fields={"raw": {"type": "keyword"}}),
    "half_float": typed("half_float"),
    "float": typed("float"),
    "double": typed("double"),
    "byte": typed("byte"),
    "long": typed("long"),
    "lenient byte": typed("byte", ignore_malformed=True),
    "lenient float": typed("float", ignore_malformed=True),
    "boolean": typed("boolean"),
    "date": typed("date"),
    "date in milliseconds": typed("date", format="epoch_millis"),
    "date in seconds": typed("date", format="epoch_second"),
    "lenient date": typed("date", ignore_malformed=True),
    "geo_point": typed("geo_point"),
    "lenient geo_point": typed("geo_point", ignore_malformed=True),
    "without objects": {
        "dynamic": True,
        "subobjects": False,
        "properties": {
            "origin._id": {"type": "keyword"},
            "origin.type": {"type": "keyword"},
            "measuredAt": {"type": "date"},
        },
    },
}


@dataclass(frozen=True)
class Indexed:
    """`mappings`: of each index behind the alias, by name. `documents`: those that they take, by id, as stored."""

    url: str
    engine: str
    mappings: Mapping[str, JSON]
    documents: Mapping[str, JSON]

    @property
    def fields(self) -> Mapping[tuple[str, ...], Fields]:
        return {(name,): Fields(mapping) for name, mapping in self.mappings.items()}

    def found(self, queries: Iterable[JSON]) -> list[set[str]]:
        """Ids, by query."""
        lines = [line for query in queries for line in ({}, {"query": query, "size": 10_000, "_source": False})]
        body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        answer = requests.post(
            f"{self.url}/{quote(f'@&{self.engine}.measures')}/_msearch",
            data=body,
            headers={"Content-Type": "application/x-ndjson"},
            timeout=60,
        )
        answer.raise_for_status()
        return [ids(response) for response in answer.json()["responses"]]

    def bounds(self, nodes: Iterable[Filter]) -> list[tuple[set[str], set[str]]]:
        """Ids that `lo` and `up` of each find."""
        queries = [translate(node, self.fields) for node in nodes]
        found = self.found(query for each in queries for query in (each.lo, each.up))
        return list(zip(found[::2], found[1::2], strict=True))

    def matching(self, node: Filter) -> set[str]:
        """Ids of the documents that Koncorde's own meaning finds."""
        holds = evaluator.compile(node)
        return {id for id, document in self.documents.items() if holds({**document, "_id": id})}

    def rows(self, node: Filter) -> list[str]:
        """The same, oldest first, as inserted where they are as old."""
        found = self.matching(node)
        ids = (id for id in self.documents if id in found)
        return sorted(ids, key=lambda id: self.documents[id]["measuredAt"])

    def request(self, node: Filter, **options: Any) -> ExportRequest:
        target = Target(self.engine, "devices", DEVICE)
        return ExportRequest(export_id="x", target=target, filter=node, sort=(SortKey("measuredAt"),), **options)

    def exported(self, store: ElasticsearchStore, node: Filter, **options: Any) -> list[Row]:
        """In order."""
        reading = store.open(self.request(node, **options))
        with contextlib.closing(reading):
            return [row(measure) for page in reading.pages() for measure in page]


def row(measure: Measure) -> Row:
    source, asset, origin = measure.source, measure.source.asset, measure.source.origin
    of_asset = asset and (asset.id, asset.model, asset.measureName)
    of_origin = origin and (origin.id, origin.deviceModel, origin.measureName)
    return measure.id, source.measuredAt, source.type, source.values, of_asset, of_origin


def ids(response: JSON) -> set[str]:
    if "error" in response:
        raise AssertionError(response["error"])
    return {hit["_id"] for hit in response["hits"]["hits"]}


@contextlib.contextmanager
def indexed(
    url: str, documents: Mapping[str, Mapping[str, Any]], mapping: JSON, unique: Callable[[str], str]
) -> Iterator[Indexed]:
    """In one index. Removed at the end. A document keeps what it has of `origin`, and its own `measuredAt`."""
    with several(url, [(documents, mapping)], unique) as made:
        yield made


@contextlib.contextmanager
def several(
    url: str, parts: Iterable[tuple[Mapping[str, Mapping[str, Any]], JSON]], unique: Callable[[str], str]
) -> Iterator[Indexed]:
    """In an index each, behind one alias: documents, and a mapping."""
    engine = unique("filters")
    mappings: dict[str, JSON] = {}
    taken: dict[str, JSON] = {}
    try:
        for number, (documents, mapping) in enumerate(parts):
            name = f"{engine}.measures-{number}"
            index = index_url(url, name)
            create(index, engine, mapping)
            mappings[f"&{name}"] = {}
            made = {id: measure(document, len(taken) + at) for at, (id, document) in enumerate(documents.items())}
            taken.update({id: made[id] for id in write(index, made)})
            mappings |= {held: found["mappings"] for held, found in requests.get(index, timeout=60).json().items()}
        yield Indexed(url, engine, mappings, taken)
    finally:
        for name in mappings:
            requests.delete(f"{url}/{quote(name)}", timeout=60).raise_for_status()


def measure(document: Mapping[str, Any], number: int) -> JSON:
    """Of the device; its instant by its number, if it has none."""
    origin = {"type": "device", "_id": DEVICE} | dict(document.get("origin", {}))
    return {"measuredAt": 1_718_000_000_000 + number, **document, "origin": origin}


def create(index: str, engine: str, mapping: JSON) -> None:
    body = {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0},
        "mappings": mapping,
        "aliases": {f"@&{engine}.measures": {}},
    }
    requests.put(index, json=body, timeout=60).raise_for_status()


def write(index: str, documents: Mapping[str, JSON]) -> list[str]:
    """Ids of those that were taken. Infinity is written as a number that no double holds."""
    lines = [f"{dumps({'create': {'_id': id}})}\n{dumps(document)}\n" for id, document in documents.items()]
    answer = requests.post(
        f"{index}/_bulk?refresh=true",
        data="".join(lines).replace("Infinity", "1e400").encode(),
        headers={"Content-Type": "application/x-ndjson"},
        timeout=60,
    )
    answer.raise_for_status()
    return [item["create"]["_id"] for item in answer.json()["items"] if item["create"]["status"] == 201]
