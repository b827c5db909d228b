"""Answers, taken for what they should be: anything else is `Unsound`, never an error of ours.

Whoever listens at a URL may answer anything, with 200 too: a gateway's page, nothing, another shape, depths of JSON.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from services.stores import lenient
from services.stores.elasticsearch.transport.retries import Late, Temporary

JSON = dict[str, Any]

Shape = TypeVar("Shape")

#: Parameters of a field that are texts.
TEXTS = frozenset(("type", "format"))

#: What reading a value of another shape than expected raises.
MISSHAPEN = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Ask(Protocol):
    """Method, path and body to an answer, as it is read. Raises `Refused`, `StoreUnavailable`."""

    def __call__(self, method: str, target: str, body: Any, read: Callable[[bytes], Shape]) -> Shape: ...


class Unsound(Temporary):
    """An answer that is not the whole answer."""


class TimedOut(Unsound, Late):
    """A search that Elasticsearch ended before its end."""

    def __init__(self) -> None:
        super().__init__("a search timed out before it was complete")


class Opened(msgspec.Struct):
    """A view."""

    id: str


class Health(msgspec.Struct):
    """Of the cluster."""

    cluster_name: str
    status: Literal["green", "yellow", "red"]


OPENED = msgspec.json.Decoder(Opened)
HEALTH = msgspec.json.Decoder(Health)


def typed(body: bytes, decoder: "msgspec.json.Decoder[Shape]") -> Shape:
    """Raises `Unsound`."""
    return well_shaped(lambda: decoder.decode(body))


def well_shaped(reading: Callable[[], Shape]) -> Shape:
    """What it returns. Raises `Unsound` when the answer is not what it is read as."""
    try:
        return reading()
    except MISSHAPEN as error:
        words = "it is nested too deep" if isinstance(error, RecursionError) else f"{type(error).__name__}: {error}"
        raise Unsound(f"an answer cannot be read ({words})") from error


def documents(body: bytes, count: int) -> list[JSON]:
    """Of `_mget`, as many as were asked for: each with `found` and `_source`, or with `error`."""
    return well_shaped(lambda: checked([document(entry) for entry in lenient.loads(body)["docs"]], count))


def checked(found: list[JSON], count: int) -> list[JSON]:
    if len(found) != count:
        raise ValueError(f"{len(found)} documents where {count} were asked for")
    return found


def document(entry: Any) -> JSON:
    if "error" in entry:
        return {"error": {name: str(entry["error"][name]) for name in ("type", "reason")}}
    found = of(bool, entry["found"])
    source = entry.get("_source") if found else None
    return {"found": found, "_index": text(entry["_index"]), "_source": None if source is None else mapping(source)}


def hits(body: bytes) -> list[JSON]:
    """Of a search: each with `_id` and `_source`, of all shards."""
    return well_shaped(lambda: whole_hits(lenient.loads(body)))


def whole_hits(answer: Any) -> list[JSON]:
    if of(bool, answer["timed_out"]):
        raise TimedOut
    if of(int, answer["_shards"]["failed"]):
        raise ValueError("it is not of all shards")
    return [{"_id": text(hit["_id"]), "_source": mapping(hit["_source"])} for hit in of(list, answer["hits"]["hits"])]


def indices(body: bytes) -> dict[str, JSON]:
    """What is behind an alias, at least one, by name: each with `mappings` and `settings`."""
    return well_shaped(lambda: {name: index(found) for name, found in some(mapping(lenient.loads(body))).items()})


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
    """Those that are read of a field, or are set for all of an index."""
    for name in TEXTS & definition.keys():
        text(definition[name])
    if "ignore_above" in definition:
        int(definition["ignore_above"])
    if not isinstance(definition.get("copy_to", ""), str):
        list(map(text, of(list, definition["copy_to"])))


def fields(definition: JSON) -> JSON:
    """With definitions below, as deep as they go."""
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
