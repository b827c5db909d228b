"""The mapping of an index, asked for a path: how values that a document holds there come to be searched."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class MappedField:
    """A path that can be searched. `name`: what a query calls it, a keyword sub-field where the
    path is a text.

    `flat`: an object may be there all the same, whose own fields are searched.
    """

    path: str
    name: str
    type: str
    definition: Definition
    flat: bool = False


#: Types of which a document holds one value a field (or several, in an array), each searchable as it is.
PLAIN = frozenset(
    ("keyword", "boolean", "date", "geo_point", "byte", "short", "integer", "long", "half_float", "float", "double")
)

#: What an index may set for all of its fields.
DEFAULTS = ("ignore_malformed", "ignore_above")


class Fields:
    """Finds the fields of an index. `settings`: those of the index below the name `mapping`, as
    defaults of its fields.
    """

    def __init__(self, mapping: Definition, settings: Definition | None = None) -> None:
        self._properties = held(mapping)
        self._runtime = mapping.get("runtime", {})
        self._defaults = {name: value for name, value in (settings or {}).items() if name in DEFAULTS}
        self._copies = frozenset(copies(self._properties))
        self._flat = is_flat(mapping)

    def find(self, path: str) -> MappedField | None:
        """Return the field of a path; `None`: nothing is known of its values, which are not mapped,
        or indexed in a way of their own (text, nested, ...).
        """
        found = find(path, "", self._properties)
        if found is None or found.name in self._runtime:
            return None
        return MappedField(path, found.name, found.type, {**self._defaults, **found.definition}, self._flat)

    def is_date(self, path: str) -> bool:
        """Return whether a query would read bounds of a range there as dates."""
        found = self._runtime.get(path) or find_definition(path, self._properties)
        return str(found.get("type", "")).startswith("date")

    def own(self, field: MappedField) -> bool:
        """Return whether every value indexed there was at that very path of the document."""
        return "." not in field.name and field.type != "geo_point" and field.name not in self._copies


def find(path: str, above: str, properties: Definition) -> MappedField | None:
    if path in properties:
        return leaf(above + path, properties[path])
    for key in keys_above(path):
        if key in properties:
            return inside(path[len(key) + 1 :], f"{above}{key}.", properties[key])
    return None


def find_definition(path: str, properties: Definition) -> Definition:
    """Return the definition of a path, whatever its type; an empty one if it is not mapped."""
    if path in properties:
        return dict(properties[path])
    for key in keys_above(path):
        if key in properties:
            return find_definition(path[len(key) + 1 :], properties[key].get("properties", {}))
    return {}


def keys_above(path: str) -> Iterator[str]:
    """Yield the keys that may lead on to a path: `a`, and `a.b` where keys have dots, for `a.b.c`."""
    dot = path.find(".")
    while dot >= 0:
        yield path[:dot]
        dot = path.find(".", dot + 1)


def inside(path: str, above: str, definition: Definition) -> MappedField | None:
    """Return the field below an object; a geo_point too (`position.lat`): its value may be an object."""
    if definition.get("type") == "geo_point":
        return leaf(above[:-1], definition)
    if definition.get("type", "object") != "object":
        return None
    return find(path, above, held(definition))


def held(definition: Definition) -> Definition:
    """Return the fields of an object."""
    return {} if definition.get("enabled") is False else definition.get("properties", {})


def leaf(name: str, definition: Definition) -> MappedField | None:
    if definition.get("type") == "text":
        return keyword(name, definition)
    if definition.get("type") not in PLAIN or not searchable(definition) or "*" in name:
        return None
    return MappedField(name, name, definition["type"], definition)


def keyword(name: str, definition: Definition) -> MappedField | None:
    """Return the keyword sub-field of a text: the text itself is in pieces."""
    for key, sub in definition.get("fields", {}).items():
        if sub.get("type") == "keyword" and searchable(sub):
            return MappedField(name, f"{name}.{key}", "keyword", sub)
    return None


def searchable(definition: Definition) -> bool:
    return definition.get("index", True) is not False and "script" not in definition


def is_flat(mapping: Definition) -> bool:
    """Return whether objects are but names with dots, somewhere in a mapping (`subobjects`)."""
    if str(mapping.get("subobjects", True)).lower() != "true":
        return True
    return any(map(is_flat, mapping.get("properties", {}).values()))


def copies(properties: Definition) -> Iterator[str]:
    """Yield the names of the fields that others are copied to."""
    for definition in properties.values():
        targets = definition.get("copy_to", ())
        yield from (targets,) if isinstance(targets, str) else targets
        yield from copies(definition.get("properties", {}))
