"""Models, by what Kuzzle's documents say of them: of an asset, a device, a type of measure. They may be odd, too."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from services.measures import Kind, Model, Slot

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
    found = [document for document in documents if part(document, SINGULAR[kind]).get("model") == name]
    if kind == "assets":
        group = part(engine, "engine").get("group")
        found = [document for document in found if document.get("engineGroup") in (group, COMMONS)]
        found.sort(key=lambda document: document.get("engineGroup") != group)
    return Model(name, tuple(slots(part(found[0], SINGULAR[kind]).get("measures")))) if found else None


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
