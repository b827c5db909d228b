"""What rows need of documents beside their cells: only those keys are decoded that may lead to a path.

A path of several levels may be spread over keys that hold dots, too: `asset.model` is found below `asset`, and under
`asset.model`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from services import lenient_json
from services.formats.values import Path, find
from services.measures import Measure

#: Returns the value of a column of a measure.
Get = Callable[[Measure], Any]

#: Where a value may be: an attribute of the decoded document, one of the object there (or none), the path from there.
Place = tuple[str, str | None, Path]


class Beside:
    """Decodes of the documents of measures, in place, what paths lead to, and gets it."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = [tuple(path.split(".")) for path in paths if path != "_id"]
        self._within = {path[0]: tails(self._paths, path[0]) for path in self._paths if is_within(self._paths, path[0])}
        self._decode = decoder(self._paths, self._within)

    def read(self, measures: Sequence[Measure]) -> None:
        """Decode the documents of measures."""
        if not self._paths or not measures:
            return
        if self._decode is not None:
            try:
                found = self._decode(array([measure.document for measure in measures]))
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                pass
            else:
                for measure, document in zip(measures, found, strict=True):
                    measure.document = document
                return
        for measure in measures:
            measure.document = lenient_json.loads(as_bytes(measure.document))

    def getter(self, path: str) -> Get:
        """Return what gets the value at one of the paths of a measure that was read."""
        if path == "_id":
            return lambda measure: measure.id
        levels = tuple(path.split("."))
        places = list(self._places(levels))

        def get(measure: Measure) -> Any:
            document = measure.document
            if type(document) is dict:
                return find(document, levels)
            for attribute, inner, rest in places:
                value = getattr(document, attribute)
                if inner is not None and value is not None:
                    value = getattr(value, inner)
                if value is not None and (not rest or (value := find(value, rest)) is not None):
                    return value
            return None

        return get

    def _places(self, levels: Path) -> "list[Place]":
        within = self._within.get(levels[0])
        if within is None:
            return [(attribute(key), None, rest) for key, rest in beginnings(levels)]
        below = [(attribute(levels[0]), attribute(key), rest) for key, rest in beginnings(levels[1:])]
        return [*below, *((attribute(key), None, rest) for key, rest in beginnings(levels) if key != levels[0])]


def beginnings(levels: Path) -> list[tuple[str, Path]]:
    """Return each key that a path may begin with, and the rest of it."""
    return [(".".join(levels[:end]), levels[end:]) for end in range(1, len(levels) + 1)]


def is_within(paths: Sequence[Path], name: str) -> bool:
    """Return whether all paths that begin with a name go on: then only some keys of the object there are needed."""
    return all(len(path) > 1 for path in paths if path[0] == name)


def tails(paths: Sequence[Path], name: str) -> list[Path]:
    return [path[1:] for path in paths if path[0] == name]


def attribute(key: str) -> str:
    """Return a name that Python takes for a key."""
    return f"key_{key.encode().hex()}"


def decoder(paths: Sequence[Path], within: Mapping[str, Sequence[Path]]) -> Callable[[bytes | str], list[Any]] | None:
    """Return what decodes a JSON array of documents; `None` where msgspec has no names for their keys."""
    try:
        inner: dict[str, Any] = {name: struct(tails, {}) | None for name, tails in within.items()}
        document = struct(paths, inner)
    except ValueError:  # quotes, backslashes and control characters
        return None
    return msgspec.json.Decoder(list[document]).decode  # type: ignore[valid-type]


def struct(paths: Sequence[Path], types: Mapping[str, Any]) -> Any:
    names = sorted({key for path in paths for key, _ in beginnings(path)})
    fields = [(attribute(name), types.get(name, Any), msgspec.field(name=name, default=None)) for name in names]
    return msgspec.defstruct("Document", fields, gc=False)


def array(documents: Sequence[bytes | str]) -> bytes | str:
    """Return documents as one JSON array."""
    if isinstance(documents[0], str):
        return f"[{','.join(documents)}]"  # type: ignore[arg-type]
    return b"[" + b",".join(documents) + b"]"  # type: ignore[arg-type]


def as_bytes(document: bytes | str) -> bytes:
    return document.encode() if isinstance(document, str) else document
