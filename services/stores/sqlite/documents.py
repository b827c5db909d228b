"""Engines, assets, devices and models: the documents beside the measures, as Kuzzle stores them."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services.errors import NotFound, UnknownEngine
from services.measures import Kind, Model, Slot, Target
from services.stores import odd

#: The group that every engine sees.
COMMONS = "commons"

SINGULAR: Mapping[Kind, str] = {"assets": "asset", "devices": "device"}

JSON = dict[str, Any]


class Documents:
    """`admin_index`: where Kuzzle keeps engines and models."""

    def __init__(self, connection: sqlite3.Connection, admin_index: str) -> None:
        self._connection = connection
        self._admin_index = admin_index

    def model(self, target: Target) -> Model:
        """Raises `UnknownEngine`; `NotFound`: the target, or its model."""
        engine = self.find(self._admin_index, "config", f"engine-device-manager--{target.engine}")
        if engine is None:
            raise UnknownEngine(target.engine)
        document = self.find(target.engine, target.kind, target.id)
        if document is None:
            raise NotFound(target.id, target.engine, target.kind)
        name, kind = str(document.get("model")), SINGULAR[target.kind]
        models = [model for model in self.models(kind) if model.get("model") == name]
        if kind == "asset":
            models = of_group(part(engine, "engine").get("group"), models)
        if not models:
            raise NotFound(f"model-{kind}-{name}", self._admin_index, "models")
        return Model(name, tuple(slots(models[0].get("measures"))))

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """`valuesMappings` of the measure models of these types."""
        return {
            type: part(model, "valuesMappings")
            for model in self.models("measure")
            if isinstance(type := model.get("type"), str) and type in types
        }

    def models(self, kind: str) -> Iterator[JSON]:
        """The `asset`, `device` or `measure` of each such model, by id, with the group it is for."""
        rows = self._connection.execute(
            "SELECT doc FROM documents WHERE engine = ? AND collection = 'models' AND doc ->> '$.type' = ? ORDER BY id",
            (self._admin_index, kind),
        )
        for (doc,) in rows:
            document = odd.loads(doc.encode())
            yield {**part(document, kind), "engineGroup": document.get("engineGroup")}

    def find(self, index: str, collection: str, id: str) -> JSON | None:
        """`None` too for an id that is no Unicode."""
        try:
            row = self._connection.execute(
                "SELECT doc FROM documents WHERE engine = ? AND collection = ? AND id = ?", (index, collection, id)
            ).fetchone()
        except UnicodeEncodeError:
            return None
        return None if row is None else dict(odd.loads(row[0].encode()))


def part(document: JSON, name: str) -> JSON:
    """The object there; empty if there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def of_group(group: Any, models: list[JSON]) -> list[JSON]:
    """Those that an engine of the group sees, its own first."""
    seen = [model for model in models if model["engineGroup"] in (group, COMMONS)]
    return sorted(seen, key=lambda model: model["engineGroup"] != group)


def slots(measures: Any) -> Iterator[Slot]:
    for entry in measures if isinstance(measures, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield Slot(entry["name"], entry.get("type") if isinstance(entry.get("type"), str) else None)
