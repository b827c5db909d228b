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
    """`mapping`, `settings`: of an index; the settings are all of those below `index`."""

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
        """Why a document may be without one of these; `None`: it never is."""
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
    """Whether it may take away the part, or some of it: what is above, it itself, what is below."""
    return is_above(pattern, part.path) or (part.whole and bool(left(pattern, f"{part.path}.")))


def includes(pattern: str, part: SourcePart) -> bool:
    """Whether it keeps all of the part."""
    if is_above(pattern, part.path):
        return True
    return part.whole and any(not rest.strip("*") for rest in left(pattern, f"{part.path}."))


def is_above(pattern: str, path: str) -> bool:
    """Whether it matches the path, or an object around it."""
    ends = [end for end, letter in enumerate(path) if letter == "."]
    return any("" in left(pattern, path[:end]) for end in (*ends, len(path)))


def left(pattern: str, text: str) -> set[str]:
    """What of a pattern may be left to match, when it has matched a text; `*` is any text, dots included."""
    places = after_stars(pattern, {0})
    for letter in text:
        places = after_stars(pattern, set(steps(pattern, places, letter)))
    return {pattern[place:] for place in places}


def steps(pattern: str, places: Collection[int], letter: str) -> Iterator[int]:
    for place in places:
        if pattern[place : place + 1] == "*":
            yield place
        elif pattern[place : place + 1] == letter:
            yield place + 1


def after_stars(pattern: str, places: set[int]) -> set[int]:
    """With those that are reached when stars match nothing."""
    found = set(places)
    for place in places:
        while place < len(pattern) and pattern[place] == "*":
            place += 1
            found.add(place)
    return found
