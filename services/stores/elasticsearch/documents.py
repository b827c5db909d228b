"""Engines, assets, devices and models: the documents beside the measures, as Kuzzle stores them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from services.errors import NotFound, StoreUnavailable, UnknownEngine
from services.measures import Kind, Model, Slot, Target
from services.stores import odd
from services.stores.elasticsearch.client import JSON, Refused
from services.stores.elasticsearch.names import alias, is_index, path

#: The group that every engine sees.
COMMONS = "commons"

SINGULAR: Mapping[Kind, str] = {"assets": "asset", "devices": "device"}

#: Documents that one search answers at most.
MOST = 10_000

#: Bytes of an id, at most.
LONGEST_ID = 512

Ask = Callable[[str, str, Any], bytes]


class Documents:
    """`ask`: method, path and body to answer, as `Client` does. `admin_index`: where engines and models are."""

    def __init__(self, ask: Ask, admin_index: str) -> None:
        self._ask = ask
        self._admin_index = admin_index

    def model(self, target: Target) -> Model:
        """Raises `UnknownEngine`; `NotFound`: the target, or its model."""
        if not is_index(target.engine):
            raise UnknownEngine(target.engine)
        engine, document = self._engine_and_document(target)
        if engine is None:
            raise UnknownEngine(target.engine)
        if document is None:
            raise NotFound(target.id, target.engine, target.kind)
        name, kind = str(document.get("model")), SINGULAR[target.kind]
        filters: list[JSON] = [{"term": {f"{kind}.model": name}}]
        if kind == "asset":
            group = part(engine, "engine").get("group")
            filters.append({"terms": {"engineGroup": [COMMONS, *([group] if isinstance(group, str) else [])]}})
        models = list(self._models(kind, filters))
        if not models:
            raise NotFound(f"model-{kind}-{name}", self._admin_index, "models")
        own_first = sorted(models, key=lambda model: model.get("engineGroup") == COMMONS)
        return Model(name, tuple(slots(part(own_first[0], kind).get("measures"))))

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """`valuesMappings` of the measure models of these types."""
        if not types:
            return {}
        models = self._models("measure", [{"terms": {"measure.type": sorted(types)}}])
        return {
            type: part(measure, "valuesMappings")
            for measure in (part(model, "measure") for model in models)
            if isinstance(type := measure.get("type"), str) and type in types
        }

    def _engine_and_document(self, target: Target) -> tuple[JSON | None, JSON | None]:
        """Each `None` when there is none. By their ids in a body: an id is free text."""
        wanted = [(alias(self._admin_index, "config"), f"engine-device-manager--{target.engine}")]
        if 0 < len(target.id.encode("utf-8", "replace")) <= LONGEST_ID:
            wanted.append((alias(target.engine, target.kind), target.id))
        answer = self._ask("POST", "/_mget", {"docs": [{"_index": index, "_id": id} for index, id in wanted]})
        found = [document(entry) for entry in odd.loads(answer)["docs"]]
        return found[0], found[1] if len(found) > 1 else None

    def _models(self, kind: str, filters: list[JSON]) -> Iterator[JSON]:
        """By id, as SQL would have them."""
        query = {"bool": {"filter": [{"term": {"type": kind}}, *filters]}}
        body = {"query": query, "size": MOST}
        name = alias(self._admin_index, "models")
        try:
            answer = self._ask("POST", f"{path(name)}/_search?allow_partial_search_results=false", body)
        except Refused as error:
            raise StoreUnavailable(f"Elasticsearch refuses to read {name}: {error}") from error
        hits = odd.loads(answer)["hits"]["hits"]
        yield from (hit["_source"] for hit in sorted(hits, key=lambda hit: str(hit["_id"])))


def document(entry: JSON) -> JSON | None:
    """Of an answer of `_mget`; `None` too where the index does not exist. Raises `StoreUnavailable`."""
    error = entry.get("error")
    if error is not None and error.get("type") != "index_not_found_exception":
        raise StoreUnavailable(f"Elasticsearch: {error.get('type')}: {error.get('reason')}")
    return entry.get("_source") if entry.get("found") else None


def part(document: JSON, name: str) -> JSON:
    """The object there; empty if there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def slots(measures: Any) -> Iterator[Slot]:
    for entry in measures if isinstance(measures, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield Slot(entry["name"], entry.get("type") if isinstance(entry.get("type"), str) else None)
