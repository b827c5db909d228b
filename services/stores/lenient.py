"""Lenient reading of documents that typed decoding refuses, so that none costs a row or an export.

Stores take text that is no Unicode (`"\ud800"`), numbers that are no doubles (`1e400`), and fields
of any type.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from services.measures import Asset, Measure, Origin, Source
from services.scheduling.tick import Tick, no_tick

#: What text that is no Unicode is replaced by.
REPLACEMENT = "\ufffd"

#: What `int` takes by default; `sys.get_int_max_str_digits`.
INTEGER_DIGITS = 4300

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def loads(text: bytes) -> Any:
    """Return JSON as Python's own reader takes it; lone surrogates become U+FFFD, in keys too."""
    value = json.loads(text, parse_int=integer)
    return mended(value) if _SURROGATE_ESCAPE.search(text) else value


def mended_json(text: bytes) -> bytes:
    """Return JSON with lone surrogates as U+FFFD, not decoded: that is quick."""
    return _ESCAPE.sub(_mended_escape, text)


def _mended_escape(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["lone"] else escape[0]


def integer(digits: str) -> int | str:
    """Return a whole number; its digits, when it has more than Python makes a number of."""
    return int(digits) if len(digits) <= INTEGER_DIGITS else digits


def mended(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value


def measure(id: str, document: Any) -> Measure:
    """Return the measure of a `_source` of any shape."""
    return Measure(id, source(document))


def source(document: Any) -> Source:
    fields = held(document)
    asset, origin = held(fields.get("asset")), held(fields.get("origin"))
    return Source(
        measuredAt=fields.get("measuredAt"),
        type=keyword(fields.get("type")),
        values=fields.get("values"),
        asset=Asset(*(keyword(asset.get(name)) for name in ("_id", "model", "measureName"))) if asset else None,
        origin=Origin(*(keyword(origin.get(name)) for name in ("_id", "deviceModel", "measureName")))
        if origin
        else None,
    )


def held(value: Any) -> dict[str, Any]:
    """Return the object, or the only one of an array; an empty one when there is none."""
    value = only(value)
    return value if isinstance(value, dict) else {}


def keyword(value: Any) -> str | None:
    """Return a value as a `keyword` of Elasticsearch reads it: scalars by their text, an array by its only item."""
    value = only(value)
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def only(value: Any) -> Any:
    """Return what an array holds, if that is one; any other value as it is."""
    if not isinstance(value, list):
        return value
    items = [item for item in value if item is not None]
    return items[0] if len(items) == 1 else None


def measures(
    ids: Sequence[str], documents: str, decode: msgspec.json.Decoder[list[Source]], rest: Tick = no_tick
) -> list[Measure]:
    """Return the measures of a JSON array of documents, in order: decoded as typed, or mended where
    that is refused.

    `rest` is called between documents that are read one by one: mending takes long.
    """
    try:
        sources = decode.decode(documents)
    except msgspec.DecodeError:
        sources = [source(document) for document in apart(documents, rest)]
    return list(map(Measure, ids, sources))


def apart(documents: str, rest: Tick) -> Iterator[Any]:
    """Yield each document of a JSON array."""
    try:
        each = msgspec.json.decode(documents, type=list[msgspec.Raw])
    except msgspec.DecodeError:
        yield from loads(documents.encode())
        return
    for document in each:
        rest()
        yield loads(bytes(document))
