"""Exact fields: by which field one index finds what its documents hold at a path, or why none does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.mapping import copies, keys_above

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class Exact:
    """A field finds exactly what documents hold. `name`: the field. `longest`: units of UTF-16 of
    the longest text that is found; `None`: any. `collected`: its values can be gathered, not
    only asked for.
    """

    name: str
    type: str
    longest: int | None = None
    collected: bool = True


@dataclass(frozen=True)
class Absent:
    """No document has anything at the path."""


@dataclass(frozen=True)
class Unseen:
    """Documents may have something at the path that no query finds. `reason`: the end of a sentence, "it is ..."."""

    reason: str
    mapped: bool = True


Answer = Exact | Absent | Unseen

#: What makes of a field something else than what documents hold.
FLAWS: Mapping[str, str] = {
    "normalizer": "with a normalizer",
    "null_value": "with a null_value",
    "script": "computed by a script",
}

#: Types that order as instants, when documents hold epoch milliseconds.
INSTANTS = frozenset(("date", "date_nanos", "long"))

#: What becomes of fields that are not mapped: another `dynamic` ignores them, and keeps them in the document.
MAPPED_WHEN_MET = frozenset(("true", "strict", "runtime"))

#: Under `index.mapping.total_fields`: fields over the limit are ignored.
BEYOND_LIMIT = "ignore_dynamic_beyond_limit"

WANTED_KEYWORD = "A keyword would be right, or a text with a sub-field that is a keyword."
WANTED_DATE = "A date would be right, or a long of epoch milliseconds."


class ExactFields:
    """Finds the exact fields of an index. `settings`: those of the index below the name `mapping`."""

    def __init__(self, mapping: Definition, settings: Definition) -> None:
        self._mapping = mapping
        self._runtime: Definition = mapping.get("runtime", {})
        self._copies = frozenset(copies(mapping.get("properties", {})))
        self._ignore_above = settings.get("ignore_above")
        self._drops = is_true(settings.get("total_fields", {}).get(BEYOND_LIMIT))

    def text(self, path: str) -> Answer:
        """Return the field of a path at which documents hold a text."""
        found = self._found(path)
        if not isinstance(found, Mapping):
            return found
        subs = {f"{path}.{key}": sub for key, sub in found.get("fields", {}).items()}
        names = {path: found, **{name: sub for name, sub in subs.items() if name not in self._runtime}}
        usable = [self._exact(name, each) for name, each in names.items() if is_plain(each)]
        if not usable:
            return Unseen(f"it is {described(found)}")
        return max(usable, key=lambda exact: (exact.longest is None, exact.longest or 0))

    def instant(self, path: str) -> Answer:
        """Return the field of a path at which documents hold an instant."""
        found = self._found(path)
        if not isinstance(found, Mapping):
            return found
        type = str(found.get("type", "object"))
        if type not in INSTANTS:
            return Unseen(f"it is {described(found)}, which does not order as an instant")
        flaw = next((words for key, words in FLAWS.items() if key in found), None)
        if found.get("doc_values") is False:
            flaw = "without doc_values"
        if "epoch_second" in str(found.get("format", "")):
            flaw = "in seconds (epoch_second), where milliseconds are meant"
        return Unseen(f"it is {type} {flaw}") if flaw else Exact(path, type)

    def type(self, path: str) -> str | Absent | None:
        """Return the type of a field or sub-field; `None`: it is not known."""
        found = self._found(path)
        if isinstance(found, Mapping):
            return str(found.get("type", "object"))
        if isinstance(found, Absent):
            return found
        above, _, key = path.rpartition(".")
        found = self._found(above) if above else found
        sub = found.get("fields", {}).get(key, {}) if isinstance(found, Mapping) else {}
        return sub.get("type")

    def _found(self, path: str) -> Definition | Answer:
        """The definition of a path, if it has one of its own."""
        if path in self._copies:
            return Unseen("others are copied to it (copy_to)")
        if path in self._runtime:
            return dict(self._runtime[path])
        if self._mapping.get("enabled") is False:
            return Unseen("its documents are not looked into (enabled: false)", mapped=False)
        return self._inside(path, "", self._mapping, "true")

    def _inside(self, path: str, above: str, holder: Definition, dynamic: str) -> Definition | Answer:
        properties: Definition = holder.get("properties", {})
        dynamic = str(holder.get("dynamic", dynamic)).lower()
        if path in properties:
            return dict(properties[path])
        for key in keys_above(path):
            if key in properties:
                return self._below(path[len(key) + 1 :], f"{above}{key}", properties[key], dynamic)
        if dynamic not in MAPPED_WHEN_MET:
            return Unseen(f"it is not mapped, and what is not mapped is ignored (dynamic: {dynamic})", mapped=False)
        if self._drops:
            return Unseen(f"it is not mapped, and fields over the limit are ignored ({BEYOND_LIMIT})", mapped=False)
        return Absent()

    def _below(self, path: str, above: str, holder: Definition, dynamic: str) -> Definition | Answer:
        type = holder.get("type", "object")
        if type == "flattened" and "ignore_above" not in holder and self._ignore_above is None:
            return Exact(f"{above}.{path}", "flattened")
        if type != "object":
            return Unseen(f'it is within "{above}", which is {type}', mapped=False)
        if holder.get("enabled") is False:
            return Unseen(f'it is within "{above}", which is not looked into (enabled: false)', mapped=False)
        return self._inside(path, f"{above}.", holder, dynamic)

    def _exact(self, name: str, definition: Definition) -> Exact:
        longest = definition.get("ignore_above", None if name in self._runtime else self._ignore_above)
        collected = definition.get("doc_values") is not False
        return Exact(name, "keyword", None if longest is None else int(longest), collected)


def is_plain(definition: Definition) -> bool:
    """Return whether a field finds just what documents hold."""
    searched = definition.get("index") is not False or definition.get("doc_values") is not False
    return definition.get("type") == "keyword" and searched and not FLAWS.keys() & definition.keys()


def described(definition: Definition) -> str:
    """Return in words a field that cannot be asked."""
    type = str(definition.get("type", "object"))
    if type == "text":
        return "text, which is analysed, without a sub-field of type keyword that holds the same"
    return " ".join((type, *details(definition)))


def details(definition: Definition) -> Iterator[str]:
    yield from (words for key, words in FLAWS.items() if key in definition)
    if definition.get("index") is False and definition.get("doc_values") is False:
        yield "that is neither indexed nor has doc_values"


def is_true(setting: Any) -> bool:
    """Return whether a setting is true: settings come as text."""
    return str(setting).lower() == "true"
