"""The fields of measures in the embedded store: the mapping that Kuzzle would have made for Elasticsearch.

Kuzzle 2.56 with kuzzle-device-manager 2.10: its own fields, and those that the models declare.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from services.stores.models import part
from services.stores.sqlite.documents import Documents

Definition = Mapping[str, Any]
Properties = Mapping[str, Definition]

KEYWORD: Definition = {"type": "keyword"}
DATE: Definition = {"type": "date"}
SEARCHED: Definition = {"type": "keyword", "fields": {"text": {"type": "text"}}}
UNMAPPED: Definition = {"type": "object", "dynamic": "false"}


def of_measures(documents: Documents) -> Properties:
    """Return the `properties` of an engine's measures."""
    values, asset_metadata, device_metadata = (
        merged(part(part(model, kind), name) for model in documents.models(kind))
        for kind, name in (("measure", "valuesMappings"), ("asset", "metadataMappings"), ("device", "metadataMappings"))
    )
    return {
        "_kuzzle_info": level(author=KEYWORD, createdAt=DATE, updatedAt=DATE, updater=KEYWORD),
        "asset": level(
            _id=KEYWORD,
            groups=level(date=DATE, id=SEARCHED),
            measureName=KEYWORD,
            metadata=level(**asset_metadata),
            model=KEYWORD,
            reference=KEYWORD,
            softTenant=SEARCHED,
        ),
        "measuredAt": DATE,
        "origin": level(
            _id=KEYWORD,
            apiMetadata=UNMAPPED,
            deviceMetadata=level(**device_metadata),
            deviceModel=KEYWORD,
            measureName=KEYWORD,
            payloadUuids=KEYWORD,
            reference=KEYWORD,
            type=KEYWORD,
        ),
        "type": KEYWORD,
        "values": level(**values),
    }


def level(**properties: Definition) -> Definition:
    return {"properties": properties}


def merged(all_properties: Iterator[Properties]) -> dict[str, Any]:
    """Return properties together; of two definitions of one field the first, of two objects both."""
    whole: dict[str, Any] = {}
    for properties in all_properties:
        for name, definition in properties.items():
            if isinstance(definition, Mapping):
                whole[name] = joined(whole[name], definition) if name in whole else definition
    return whole


def joined(first: Definition, second: Definition) -> Definition:
    if "properties" not in first or "properties" not in second:
        return first
    return {**first, "properties": merged(iter((first["properties"], second["properties"])))}


def find(properties: Any, path: str) -> tuple[str, Definition] | None:
    """Return the path at which documents hold a field's values, and its definition; sub-fields have
    their field's path.

    `None`: not mapped. An object is no field.
    """
    for name, definition in properties.items() if isinstance(properties, Mapping) else ():
        if not isinstance(definition, Mapping):
            continue
        if name == path and is_leaf(definition):
            return name, definition
        if path.startswith(f"{name}."):
            found = within(definition, path.removeprefix(f"{name}."))
            if found is not None:
                return f"{name}.{found[0]}" if found[0] else name, found[1]
    return None


def within(definition: Definition, path: str) -> tuple[str, Definition] | None:
    if is_leaf(definition):
        found = find(definition.get("fields"), path)
        return None if found is None else ("", found[1])
    return None if definition.get("type") == "nested" else find(definition.get("properties"), path)


def is_leaf(definition: Definition) -> bool:
    """Return whether a definition is a field; `nested` is none: what it holds needs queries of its own."""
    return definition.get("type", "object") not in ("object", "nested")


def values(document: Any, path: str) -> Iterator[Any]:
    """Yield the scalars at `path`, as Elasticsearch indexes them: through arrays, whether keys are
    nested or hold dots.
    """
    if isinstance(document, list):
        for item in document:
            yield from values(item, path)
    elif isinstance(document, dict):
        for name, inner in document.items():
            if name == path:
                yield from scalars(inner)
            elif path.startswith(f"{name}."):
                yield from values(inner, path.removeprefix(f"{name}."))


def scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from scalars(item)
    elif value is not None and not isinstance(value, dict):
        yield value
