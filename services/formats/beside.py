"""What rows need of documents beside their cells: only those keys are decoded that may lead to a path.

A path finds what it finds in a filter: a key may hold dots itself (`asset.model` is below `asset`, or under that whole
name; the last of them counts), and no path leads into an array.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from services import lenient_json
from services.filters.python.evaluator import MISSING, lookup
from services.measures import Measure
from services.paths import beginnings

#: Returns the value of a column of a measure.
Get = Callable[[Measure], Any]


class Beside:
    """Decodes of the documents of measures, in place, what paths lead to, and gets it."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = [path for path in paths if path != "_id"]
        #: Objects of which only some keys are needed: no path ends there.
        self._within = {name: below(name, self._paths) for name in map(outermost, self._paths) if name not in paths}
        self._dotted = [attrgetter(attribute(key)) for key in dotted(self._paths)]
        self._dotted_within = [
            (attrgetter(attribute(name)), [attrgetter(attribute(key)) for key in keys])
            for name, rests in self._within.items()
            if (keys := dotted(rests))
        ]
        self._decode = self._decoder()

    def read(self, measures: Sequence[Measure]) -> None:
        """Decode the documents of measures."""
        if not self._paths or not measures:
            return
        documents = [measure.document for measure in measures]
        found = self._typed(documents)
        if found is None or self._is_ambiguous(found):
            found = [lenient_json.loads(as_bytes(document)) for document in documents]
        for measure, document in zip(measures, found, strict=True):
            measure.document = document

    def getter(self, path: str) -> Get:
        """Return what gets the value at one of the paths of a measure that was read; `None`: there is none."""
        if path == "_id":
            return lambda measure: measure.id
        first, *others = path.split(".")
        outer, in_whole = attrgetter(attribute(first)), lookup(path)
        inner = attrgetter(attribute(others[0])) if first in self._within else None
        rest = others[1:] if inner else others
        in_rest = lookup(".".join(rest)) if rest else None

        def get(measure: Measure) -> Any:
            document = measure.document
            if document.__class__ is dict:
                return known(in_whole(document))
            value = outer(document)
            if inner is not None and value is not None:
                value = inner(value)
            if in_rest is None:
                return value
            return known(in_rest(value)) if value.__class__ is dict else None

        return get

    def _decoder(self) -> Callable[[bytes | str], list[Any]] | None:
        """Return what decodes a JSON array of documents; `None` where msgspec has no names for their keys."""
        try:
            inner = {name: struct(rests, {}) | None for name, rests in self._within.items()}
            document = struct(self._paths, inner)
        except ValueError:  # quotes, backslashes and control characters
            return None
        return msgspec.json.Decoder(list[document]).decode  # type: ignore[valid-type]

    def _typed(self, documents: Sequence[bytes | str]) -> list[Any] | None:
        """Return documents as structs; `None` where one of them has another shape."""
        try:
            return None if self._decode is None else self._decode(array(documents))
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return None

    def _is_ambiguous(self, found: Sequence[Any]) -> bool:
        """Return whether a document has a key with a dot in its name: the order of its keys decides then."""
        if any(is_there(get, found) for get in self._dotted):
            return True
        for outer, gets in self._dotted_within:
            inner = [each for each in map(outer, found) if each is not None]
            if any(is_there(get, inner) for get in gets):
                return True
        return False


def is_there(get: Callable[[Any], Any], found: Sequence[Any]) -> bool:
    return list(map(get, found)).count(None) < len(found)


def known(value: Any) -> Any:
    return None if value is MISSING else value


def outermost(path: str) -> str:
    return path.partition(".")[0]


def below(name: str, paths: Sequence[str]) -> list[str]:
    """Return the rests of the paths below a name."""
    return [path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}.")]


def keys(paths: Sequence[str]) -> list[str]:
    """Return the keys that may lead to any of the paths."""
    return sorted(set(chain.from_iterable(map(beginnings, paths))))


def dotted(paths: Sequence[str]) -> list[str]:
    return [key for key in keys(paths) if "." in key]


def attribute(key: str) -> str:
    """Return a name that Python takes for a key."""
    return f"key_{key.encode().hex()}"


def struct(paths: Sequence[str], types: dict[str, Any]) -> Any:
    fields = [(attribute(key), types.get(key, Any), msgspec.field(name=key, default=None)) for key in keys(paths)]
    return msgspec.defstruct("Document", fields, gc=False)


def array(documents: Sequence[bytes | str]) -> bytes | str:
    """Return documents as one JSON array."""
    if isinstance(documents[0], str):
        return f"[{','.join(documents)}]"  # type: ignore[arg-type]
    return b"[" + b",".join(documents) + b"]"  # type: ignore[arg-type]


def as_bytes(document: bytes | str) -> bytes:
    return document.encode() if isinstance(document, str) else bytes(document)
