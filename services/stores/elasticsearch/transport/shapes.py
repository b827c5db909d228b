"""Shapes that answers must have: anything else is `Unsound`, never an error of ours.

Whoever listens at a URL may answer anything, with 200 too: a gateway's page, nothing, another
shape, depths of JSON.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from services import lenient_json
from services.stores.elasticsearch.transport.retries import Late, Temporary

JSON = dict[str, Any]

Shape = TypeVar("Shape")

#: Parameters of a field that are texts.
TEXTS = frozenset(("type", "format"))

#: What reading a value of another shape than expected raises.
MISSHAPEN = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Ask(Protocol):
    """Sends method, path and body, and returns the answer as `read` reads it. Raises `Refused`, `StoreUnavailable`."""

    def __call__(self, method: str, target: str, body: Any, read: Callable[[bytes], Shape]) -> Shape: ...


class Unsound(Temporary):
    """An answer is not the whole answer."""


class TimedOut(Unsound, Late):
    """Elasticsearch ended a search before its end."""

    def __init__(self) -> None:
        super().__init__("a search timed out before it was complete")


class Opened(msgspec.Struct):
    """The answer to opening a point in time."""

    id: str


class Health(msgspec.Struct):
    """The state of the cluster."""

    cluster_name: str
    status: Literal["green", "yellow", "red"]


OPENED = msgspec.json.Decoder(Opened)
HEALTH = msgspec.json.Decoder(Health)


def typed(body: bytes, decoder: "msgspec.json.Decoder[Shape]") -> Shape:
    """Return a body, decoded. Raises `Unsound` when it has not the shape of the decoder."""
    return well_shaped(lambda: decoder.decode(body))


def well_shaped(reading: Callable[[], Shape]) -> Shape:
    """Return what `reading` returns. Raises `Unsound` when the answer is not what it is read as."""
    try:
        return reading()
    except MISSHAPEN as error:
        words = "it is nested too deep" if isinstance(error, RecursionError) else f"{type(error).__name__}: {error}"
        raise Unsound(f"an answer cannot be read ({words})") from error


def documents(body: bytes, count: int) -> list[JSON]:
    """Return the `count` documents of an answer of `_mget`: each with `found` and `_source`, or with `error`."""
    return well_shaped(lambda: as_many([entry_of(entry) for entry in lenient_json.loads(body)["docs"]], count))


def as_many(found: list[JSON], count: int) -> list[JSON]:
    if len(found) != count:
        raise ValueError(f"{len(found)} documents where {count} were asked for")
    return found


def entry_of(entry: Any) -> JSON:
    if "error" in entry:
        return {"error": {name: str(entry["error"][name]) for name in ("type", "reason")}}
    found = of(bool, entry["found"])
    source = entry.get("_source") if found else None
    return {"found": found, "_index": text(entry["_index"]), "_source": None if source is None else mapping(source)}


def hits(body: bytes) -> list[JSON]:
    """Return the hits of a search, from all shards: each with `_id` and `_source`."""
    return well_shaped(lambda: complete_hits(lenient_json.loads(body)))


def complete_hits(answer: Any) -> list[JSON]:
    if of(bool, answer["timed_out"]):
        raise TimedOut
    if of(int, answer["_shards"]["failed"]):
        raise ValueError("it is not of all shards")
    return [{"_id": text(hit["_id"]), "_source": mapping(hit["_source"])} for hit in of(list, answer["hits"]["hits"])]


def indices(body: bytes) -> dict[str, JSON]:
    """Return the indices behind an alias, at least one, by name: each with `mappings` and `settings`."""
    return well_shaped(lambda: {name: index(found) for name, found in some(mapping(lenient_json.loads(body))).items()})


def some(found: JSON) -> JSON:
    if not found:
        raise ValueError("there is no index")
    return found


def index(found: Any) -> JSON:
    settings = mapping(found["settings"]["index"])
    parameters(mapping(settings.get("mapping", {})))
    int(settings.get("max_result_window", 1))
    return {"mappings": fields(mapping(found["mappings"])), "settings": settings}


def parameters(definition: JSON) -> None:
    """Check those parameters that are read of a field, or that are set for all of an index."""
    for name in TEXTS & definition.keys():
        text(definition[name])
    if "ignore_above" in definition:
        int(definition["ignore_above"])
    if not isinstance(definition.get("copy_to", ""), str):
        list(map(text, of(list, definition["copy_to"])))


def fields(definition: JSON) -> JSON:
    """Return a mapping after its definitions were checked, as deep as they go."""
    parameters(definition)
    for name in ("properties", "fields", "runtime"):
        for held in mapping(definition.get(name, {})).values():
            fields(mapping(held))
    return definition


def mapping(value: Any) -> JSON:
    return of(dict, value)


def text(value: Any) -> str:
    return of(str, value)


def of(kind: type[Shape], value: Any) -> Shape:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} where {kind.__name__} should be")
    return value
