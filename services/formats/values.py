"""Values at a path: in the `values` of a measure, and in its whole document."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from services import lenient_json
from services.measures import Measure

Path = tuple[str, ...]


def find(value: Any, path: Path) -> Any:
    """Return what is at `path`, `None` if nothing is. A key may hold dots itself:
    `{"acceleration.x": 1}`.

    Through an array of objects, it is the list of what they hold there.
    """
    if not path or value is None:
        return value
    if isinstance(value, dict):
        return _in_object(value, path)
    if isinstance(value, list):
        found = (find(item, path) for item in value if isinstance(item, dict))
        return [one for one in found if one is not None] or None
    return None


def _in_object(value: dict[str, Any], path: Path) -> Any:
    for end in range(1, len(path) + 1):
        found = find(value.get(".".join(path[:end])), path[end:])
        if found is not None:
            return found
    return None


def document_reader(paths: Sequence[str]) -> Callable[[Sequence[Measure]], None]:
    """Return what decodes of the documents of measures, in place, all that these paths lead into."""
    if not paths:
        return lambda measures: None
    names = sorted(
        {".".join(levels[:end]) for path in paths for levels in [path.split(".")] for end in range(1, len(levels) + 1)}
    )
    attributes = [f"key{at}" for at in range(len(names))]
    try:
        struct = msgspec.defstruct(
            "Document",
            [(each, Any, msgspec.field(name=name, default=None)) for each, name in zip(attributes, names, strict=True)],
            gc=False,
        )
    except ValueError:  # msgspec has no names with quotes, backslashes and control characters
        return lambda measures: _read_whole(measures)
    decode = msgspec.json.Decoder(list[struct]).decode  # type: ignore[valid-type]

    def read(measures: Sequence[Measure]) -> None:
        try:
            found = decode(b"[" + b",".join([measure.document for measure in measures]) + b"]")
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            _read_whole(measures)
            return
        for measure, document in zip(measures, found, strict=True):
            measure.document = dict(zip(names, msgspec.structs.astuple(document), strict=True))

    return read


def _read_whole(measures: Sequence[Measure]) -> None:
    for measure in measures:
        measure.document = lenient_json.loads(measure.document)
