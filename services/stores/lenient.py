"""Lenient reading of documents that typed decoding refuses, so that none costs a row or an export.

Stores take text that is no Unicode, numbers that are no doubles, and fields of any type.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from services.lenient_json import loads
from services.measures import Asset, Measure, Origin, Source
from services.scheduling.tick import Tick, no_tick


def measure(id: str, document: Any, text: bytes | None = None) -> Measure:
    """Return the measure of a `_source` of any shape. `text`: the bytes of it, if they are wanted."""
    return Measure(id, source(document), text)


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
