"""The mapping of an index, asked for a path: how do values that a document holds there come to be searched."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """A path that can be searched. `name`: what a query calls it, a keyword sub-field where the path is a text."""

    name: str
    type: str
    definition: Definition


class Unknown:
    """Nothing is known of the values: not indexed, or in a way of its own (text, nested, flattened, ...)."""


class Absent:
    """No document holds a value: not mapped, and the mapping is strict."""


#: Types of which a document holds one value a field (or several, in an array), each searchable as it is.
PLAIN = frozenset(
    ("keyword", "boolean", "date", "geo_point", "byte", "short", "integer", "long", "half_float", "float", "double")
)


class Fields:
    """`properties`: those of the index. `dynamic`: the index's own, `"strict"` makes paths that are not mapped absent."""

    def __init__(self, properties: Definition, *, dynamic: str = "true") -> None:
        self._properties = properties
        self._dynamic = dynamic
        self._copies = frozenset(copies(properties))

    def find(self, path: str) -> Field | Unknown | Absent:
        return find(path, "", self._properties, self._dynamic)

    def own(self, field: Field) -> bool:
        """Whether every value indexed there was at that very path of the document."""
        return "." not in field.name and field.type != "geo_point" and field.name not in self._copies


def find(path: str, above: str, properties: Definition, dynamic: str) -> Field | Unknown | Absent:
    for key, definition in properties.items():
        if path == key:
            return leaf(above + key, definition)
        if path.startswith(f"{key}."):
            return inside(path[len(key) + 1 :], f"{above}{key}.", definition, dynamic)
    return Absent() if dynamic == "strict" else Unknown()


def inside(path: str, above: str, definition: Definition, dynamic: str) -> Field | Unknown | Absent:
    """A geo_point is found from within (`position.lat`): its value may be an object."""
    if definition.get("type") == "geo_point":
        return leaf(above[:-1], definition)
    if definition.get("type", "object") != "object" or definition.get("enabled") is False:
        return Unknown()
    return find(path, above, definition.get("properties", {}), str(definition.get("dynamic", dynamic)).lower())


def leaf(name: str, definition: Definition) -> Field | Unknown:
    if definition.get("type") == "text":
        return keyword(name, definition)
    if definition.get("type") not in PLAIN or not searchable(definition) or "*" in name:
        return Unknown()
    return Field(name, definition["type"], definition)


def keyword(name: str, definition: Definition) -> Field | Unknown:
    """The keyword sub-field of a text: the text itself is in pieces."""
    for key, sub in definition.get("fields", {}).items():
        if sub.get("type") == "keyword" and searchable(sub):
            return Field(f"{name}.{key}", "keyword", sub)
    return Unknown()


def searchable(definition: Definition) -> bool:
    return definition.get("index", True) is not False and "script" not in definition


def copies(properties: Definition) -> Iterator[str]:
    """The names of the fields that others are copied to."""
    for definition in properties.values():
        targets = definition.get("copy_to", ())
        yield from (targets,) if isinstance(targets, str) else targets
        yield from copies(definition.get("properties", {}))
