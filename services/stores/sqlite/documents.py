"""Engines, assets, devices and models: the documents beside the measures, as Kuzzle stores them."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services import lenient_json
from services.errors import NotFound, UnknownEngine
from services.measures import Fleet, Model, Target
from services.stores import models
from services.stores.models import JSON, SINGULAR


class Documents:
    """Reads single documents. `admin_index`: the index of Kuzzle's that holds engines and models."""

    def __init__(self, connection: sqlite3.Connection, admin_index: str) -> None:
        self._connection = connection
        self._admin_index = admin_index

    def model(self, target: Target) -> Model:
        """Return the model of a target. Raises `UnknownEngine`, or `NotFound` for the target or its model."""
        engine = self._engine(target.engine)
        name, kind = str(self._target(target).get("model")), SINGULAR[target.kind]
        model = models.model(target.kind, name, engine, self.models(kind))
        if model is None:
            raise NotFound(f"model-{kind}-{name}", self._admin_index, "models")
        return model

    def models_of(self, fleet: Fleet) -> tuple[Model, ...]:
        """Return the models of a fleet, in order of name. Raises `UnknownEngine`, `NotFound` for an id or a model."""
        engine, kind = self._engine(fleet.engine), SINGULAR[fleet.kind]
        found = None if fleet.ids is None else [self._target(Target(fleet.engine, fleet.kind, id)) for id in fleet.ids]
        known = models.of_names(fleet.kind, None, engine, self.models(kind))
        if (name := models.missing(fleet.models, known)) is not None:
            raise NotFound(f"model-{kind}-{name}", self._admin_index, "models")
        names = models.meant(fleet, found)
        return tuple(model for model in known if names is None or model.name in names)

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the `valuesMappings` of the measure models of these types, by type."""
        return models.mappings(types, self.models("measure"))

    def units(self, types: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Return the units of values that the measure models of these types name, by type and path."""
        return models.units(types, self.models("measure"))

    def models(self, kind: str) -> Iterator[JSON]:
        """Return the models of a kind (`asset`, `device` or `measure`), in the order of their ids."""
        rows = self._connection.execute(
            "SELECT doc FROM documents WHERE engine = ? AND collection = 'models' AND doc ->> '$.type' = ? ORDER BY id",
            (self._admin_index, kind),
        )
        yield from (lenient_json.loads(doc.encode()) for (doc,) in rows)

    def _engine(self, engine: str) -> JSON:
        found = self.find(self._admin_index, "config", f"engine-device-manager--{engine}")
        if found is None:
            raise UnknownEngine(engine)
        return found

    def _target(self, target: Target) -> JSON:
        found = self.find(target.engine, target.kind, target.id)
        if found is None:
            raise NotFound(target.id, target.engine, target.kind)
        return found

    def find(self, index: str, collection: str, id: str) -> JSON | None:
        """Return a document; `None` where there is none, and for an id that is no Unicode."""
        try:
            row = self._connection.execute(
                "SELECT doc FROM documents WHERE engine = ? AND collection = ? AND id = ?", (index, collection, id)
            ).fetchone()
        except UnicodeEncodeError:
            return None
        return None if row is None else dict(lenient_json.loads(row[0].encode()))
