"""Engines, assets, devices and models: the documents beside the measures, as Kuzzle stores them."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from services.errors import NotFound, StoreUnavailable, UnknownEngine
from services.index_names import is_index
from services.measures import Fleet, Kind, Model, Target
from services.scheduling.background import in_background
from services.stores import models
from services.stores.elasticsearch.names import alias, path
from services.stores.elasticsearch.query import indices, stored_source
from services.stores.elasticsearch.query.indices import Indices
from services.stores.elasticsearch.query.stored_source import SourcePart
from services.stores.elasticsearch.transport import limits, shapes
from services.stores.elasticsearch.transport.client import Refused, refused
from services.stores.elasticsearch.transport.shapes import Ask
from services.stores.models import JSON, SINGULAR

#: Documents that one search answers at most, where an index lets it.
MOST = 10_000

#: Bytes of an id, at most.
LONGEST_ID = 512

#: The status that a refusal of one document of several would have.
STATUSES = {"security_exception": 403}


class Documents:
    """Reads single documents. `admin_index`: the index of Kuzzle's that holds engines and models."""

    def __init__(self, ask: Ask, admin_index: str) -> None:
        self._ask = ask
        self._admin_index = admin_index
        #: As the last export found them; each asks for its model first.
        self._known_models: Indices | None = None

    def model(self, target: Target) -> Model:
        """Return the model of a target. Raises `UnknownEngine`, or `NotFound` for the target or its model."""
        learning = in_background(self._model_indices, "know-models")
        engine, (document,) = self._engine_and_documents(target.engine, target.kind, [target.id])
        name, kind = str(document.get("model")), SINGULAR[target.kind]
        self._known_models = learning.result()
        model = models.model(target.kind, name, engine, self._models(self._known_models, kind, f"{kind}.model", name))
        if model is None:
            raise NotFound(f"model-{kind}-{name}", self._admin_index, "models")
        return model

    def models_of(self, fleet: Fleet) -> tuple[Model, ...]:
        """Return the models of a fleet, in order of name. Raises `UnknownEngine`, `NotFound` for an id or a model."""
        learning = in_background(self._model_indices, "know-models")
        engine, documents = self._engine_and_documents(fleet.engine, fleet.kind, fleet.ids or ())
        self._known_models, kind = learning.result(), SINGULAR[fleet.kind]
        known = models.of_names(fleet.kind, None, engine, self._models(self._known_models, kind))
        if (name := models.missing(fleet.models, known)) is not None:
            raise NotFound(f"model-{kind}-{name}", self._admin_index, "models")
        names = models.meant(fleet, None if fleet.ids is None else documents)
        return tuple(model for model in known if names is None or model.name in names)

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the `valuesMappings` of the measure models of these types, by type."""
        return models.mappings(types, self._of_types(types))

    def units(self, types: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Return the units of values that the measure models of these types name, by type and path."""
        return models.units(types, self._of_types(types))

    def _of_types(self, types: Collection[str]) -> list[JSON]:
        """Return the measure models of these types; perhaps others, too."""
        if not types:
            return []
        known = self._known_models or self._model_indices()
        try:
            return self._models(known, "measure", "measure.type", *sorted(types))
        except Refused as error:
            if "index.max_terms_count" not in error.reason:
                raise
            return self._models(known, "measure")

    def _engine_and_documents(self, engine: str, kind: Kind, ids: Sequence[str]) -> tuple[JSON, list[JSON]]:
        """Return the document of an engine, and of assets or devices of it; of several of these, their models only.

        Their ids go in a body: an id is free text. Raises `UnknownEngine`, or `NotFound` for the first id.
        """
        if not is_index(engine):
            raise UnknownEngine(engine)
        known = [id for id in ids if 0 < len(id.encode("utf-8", "replace")) <= LONGEST_ID]
        part = {"_source": ["model"]} if len(known) > 1 else {}
        wanted = [{"_index": alias(engine, kind), "_id": id, **part} for id in known]
        config = {"_index": alias(self._admin_index, "config"), "_id": f"engine-device-manager--{engine}"}
        read = partial(shapes.documents, count=len(wanted) + 1)
        first, *others = [document(entry) for entry in self._ask("POST", "/_mget", {"docs": [config, *wanted]}, read)]
        if first is None:
            raise UnknownEngine(engine)
        found = dict(zip(known, others, strict=True))
        documents: list[JSON] = []
        for id in ids:
            if (of_id := found.get(id)) is None:
                raise NotFound(id, engine, kind)
            documents.append(of_id)
        self._check_read(engine, kind, first, documents)
        return first, documents

    def _check_read(self, engine: str, kind: Kind, config: JSON, documents: Sequence[JSON]) -> None:
        """Raise `StoreUnavailable` when a document lacks what may have been stored with it."""
        if models.part(config, "engine").get("group") is None:
            self._indices(alias(self._admin_index, "config")).check_kept([SourcePart("engine", whole=True)])
        if any(document.get("model") is None for document in documents):
            self._indices(alias(engine, kind)).check_kept([SourcePart("model")])

    def _models(self, known: Indices, kind: str, field: str | None = None, *values: str) -> list[JSON]:
        """Return all models of a kind, or those with one of the values in a field, in the order of their ids."""
        name = alias(self._admin_index, "models")
        fields = ("type",) if field is None else ("type", field)
        terms = known.terms(fields, partial(indices.occupied, self._ask, name))
        filters = [terms.term("type", kind), *([] if field is None else [terms.term(field, *values)])]
        target = f"{path(name)}/_search?allow_partial_search_results=false"
        found: dict[str, JSON] = {}
        most, more = MOST, True
        while more:
            try:
                hits = self._ask("POST", target, others(filters, found, most), shapes.hits)
            except Refused as error:
                most = limits.rows(error, most)
            else:
                more = len(hits) >= most and not all(hit["_id"] in found for hit in hits)
                found |= {hit["_id"]: hit["_source"] for hit in hits}
        return [found[id] for id in sorted(found)]

    def _model_indices(self) -> Indices:
        known = self._indices(alias(self._admin_index, "models"))
        known.check_kept(stored_source.MODEL)
        return known

    def _indices(self, name: str) -> Indices:
        """Return the indices behind an alias. Raises `StoreUnavailable`."""
        return self._ask("GET", path(name), None, indices.read_indices)


def others(filters: list[JSON], found: Collection[str], most: int) -> JSON:
    """Return a search for `most` documents that have not been found yet."""
    query: JSON = {"filter": filters}
    if found:
        query["must_not"] = [{"ids": {"values": list(found)}}]
    return {"query": {"bool": query}, "size": most}


def document(entry: JSON) -> JSON | None:
    """Return the document of an entry of `_mget`; `None` where it, or its index, does not exist.

    Raises `StoreUnavailable`.
    """
    error = entry.get("error")
    if error is not None and error["type"] != "index_not_found_exception":
        if error["type"] in STATUSES:
            raise refused(STATUSES[error["type"]], error["type"], error["reason"])
        raise StoreUnavailable(f"Elasticsearch: {error['type']}: {error['reason']}")
    if entry.get("found") and entry["_source"] is None:
        raise StoreUnavailable(f'The index "{entry["_index"]}" cannot be read: {stored_source.MODES["disabled"]}.')
    return entry["_source"] if entry.get("found") else None
