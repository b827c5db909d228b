"""What an index keeps of its documents (`_source`): an export is made of nothing else."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class SourcePart:
    """A path that is read of documents. `whole`: with all that may be below it."""

    path: str
    whole: bool = False


#: What a row is made of.
ROW = (
    SourcePart("measuredAt"),
    SourcePart("type"),
    SourcePart("values", whole=True),
    *map(SourcePart, ("asset._id", "asset.model", "asset.measureName")),
    *map(SourcePart, ("origin._id", "origin.deviceModel", "origin.measureName")),
)

#: What is read of a model.
MODEL = (
    SourcePart("type"),
    SourcePart("engineGroup"),
    *(SourcePart(name, whole=True) for name in ("asset", "device", "measure")),
)

#: Kinds of index that put documents together anew where they do not say otherwise.
SYNTHETIC_MODES = frozenset(("logsdb", "time_series"))

#: By `mode`: what is wrong with it.
MODES: Mapping[str, str] = {
    "disabled": "it keeps no documents (its _source is disabled)",
    "synthetic": "it puts documents together anew (its _source is synthetic): arrays, instants and what is empty come "
    "out otherwise than they were stored",
}


class StoredSource:
    """Tells what an index keeps. `settings`: all of those below `index`."""

    def __init__(self, mapping: Definition, settings: Definition) -> None:
        source: Definition = mapping.get("_source", {})
        chosen = settings.get("mapping", {}).get("source", {}).get("mode")
        usual = "synthetic" if settings.get("mode") in SYNTHETIC_MODES else "stored"
        self._mode = "disabled" if source.get("enabled") is False else source.get("mode") or chosen or usual
        self._includes = tuple(source.get("includes") or ())
        self._excludes = tuple(source.get("excludes") or ())

    @property
    def is_whole(self) -> bool:
        return self._mode not in MODES and not self._includes and not self._excludes

    def lacks(self, parts: Collection[SourcePart]) -> str | None:
        """Return why a document may be without one of these parts; `None`: it never is."""
        if self._mode in MODES:
            return MODES[self._mode]
        return next(self._lacking(parts), None)

    def _lacking(self, parts: Collection[SourcePart]) -> Iterator[str]:
        for part in parts:
            if self._includes and not any(includes(pattern, part) for pattern in self._includes):
                yield f'it keeps a part of documents only (_source.includes), without all of "{part.path}"'
            for pattern in self._excludes:
                if excludes(pattern, part):
                    yield f'it does not keep "{pattern}" of documents (_source.excludes), and "{part.path}" is read'


def excludes(pattern: str, part: SourcePart) -> bool:
    """Return whether a pattern may take away some of a part: what is above, the part itself, what is below."""
    return is_above(pattern, part.path) or (part.whole and bool(left(pattern, f"{part.path}.")))


def includes(pattern: str, part: SourcePart) -> bool:
    """Return whether a pattern keeps all of a part."""
    if is_above(pattern, part.path):
        return True
    return part.whole and any(not rest.strip("*") for rest in left(pattern, f"{part.path}."))


def is_above(pattern: str, path: str) -> bool:
    """Return whether a pattern matches the path, or an object around it."""
    ends = [end for end, letter in enumerate(path) if letter == "."]
    return any("" in left(pattern, path[:end]) for end in (*ends, len(path)))


def left(pattern: str, text: str) -> set[str]:
    """Return what of a pattern may be left to match, when it has matched a text; `*` is any text, dots included."""
    indexes = after_stars(pattern, {0})
    for letter in text:
        indexes = after_stars(pattern, set(steps(pattern, indexes, letter)))
    return {pattern[index:] for index in indexes}


def steps(pattern: str, indexes: Collection[int], letter: str) -> Iterator[int]:
    for index in indexes:
        if pattern[index : index + 1] == "*":
            yield index
        elif pattern[index : index + 1] == letter:
            yield index + 1


def after_stars(pattern: str, indexes: set[int]) -> set[int]:
    """Return these indexes of a pattern, with those that are reached when stars match nothing."""
    found = set(indexes)
    for index in indexes:
        while index < len(pattern) and pattern[index] == "*":
            index += 1
            found.add(index)
    return found
