"""Models, by what Kuzzle's documents say of them: of an asset, a device, a type of measure. They may be odd, too."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from services.measures import Fleet, Kind, Model, Slot

JSON = dict[str, Any]

#: The group that every engine sees.
COMMONS = "commons"

#: The `type` of a kind's models, and the key under which they are described.
SINGULAR: Mapping[Kind, str] = {"assets": "asset", "devices": "device"}


def model(kind: Kind, name: str, engine: JSON, documents: Iterable[JSON]) -> Model | None:
    """Return the model that an engine means by a name; `None`: there is none. `engine`: its config
    document.

    An asset's model is of the engine's own group, or else of all.
    """
    return next(iter(of_names(kind, [name], engine, documents)), None)


def of_names(kind: Kind, names: Collection[str] | None, engine: JSON, documents: Iterable[JSON]) -> tuple[Model, ...]:
    """Return the models that an engine means by names, in order of name; `None`: all that it knows."""
    found = [
        (name, document)
        for document in documents
        if isinstance(name := part(document, SINGULAR[kind]).get("model"), str) and (names is None or name in names)
    ]
    if kind == "assets":
        group = part(engine, "engine").get("group")
        found = [(name, document) for name, document in found if document.get("engineGroup") in (group, COMMONS)]
        found.sort(key=lambda each: each[1].get("engineGroup") != group)
    first: dict[str, JSON] = {}
    for name, document in found:
        first.setdefault(name, document)
    return tuple(Model(name, tuple(slots(part(first[name], SINGULAR[kind]).get("measures")))) for name in sorted(first))


def missing(names: Collection[str] | None, found: Collection[Model]) -> str | None:
    """Return the first of the names that no model has."""
    known = {model.name for model in found}
    return next((name for name in names or () if name not in known), None)


def meant(fleet: Fleet, documents: Collection[JSON] | None) -> Collection[str] | None:
    """Return the names of the models that a fleet means, `None`: all. `documents`: of its ids, if it names any."""
    if documents is None:
        return fleet.models
    of_ids = {str(document.get("model")) for document in documents}
    return of_ids if fleet.models is None else of_ids & set(fleet.models)


def mappings(types: Collection[str], documents: Iterable[JSON]) -> Mapping[str, Mapping[str, Any]]:
    """Return `valuesMappings` by type, of model documents of measures."""
    return {
        type: part(measure, "valuesMappings")
        for measure in (part(document, "measure") for document in documents)
        if isinstance(type := measure.get("type"), str) and type in types
    }


def units(types: Collection[str], documents: Iterable[JSON]) -> Mapping[str, Mapping[str, str]]:
    """Return the units of values, by type and path, of model documents of measures: as they say them in English, or
    else in their first language.
    """
    return {
        type: dict(_units(part(measure, "valuesDetails")))
        for measure in (part(document, "measure") for document in documents)
        if isinstance(type := measure.get("type"), str) and type in types
    }


def _units(details: JSON) -> Iterator[tuple[str, str]]:
    for path in details:
        languages = part(details, path)
        said = [part(languages, language).get("unit") for language in ("en", *languages)]
        unit = next((each for each in said if isinstance(each, str) and each), None)
        if unit is not None:
            yield path, unit


def part(document: JSON, name: str) -> JSON:
    """Return the object under a key; an empty one if there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def slots(measures: Any) -> Iterator[Slot]:
    for entry in measures if isinstance(measures, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield Slot(entry["name"], entry.get("type") if isinstance(entry.get("type"), str) else None)
