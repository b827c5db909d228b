"""Answers of searches, decoded: pages of measures and counts, each checked before anything of it is used."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from services.measures import Measure, Slot
from services.stores import odd
from services.stores.elasticsearch import answers
from services.stores.elasticsearch.answers import TimedOut
from services.stores.elasticsearch.answers import Unsound as Unsound

Number = Annotated[int, msgspec.Meta(ge=0)]
Instant = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

Hit = TypeVar("Hit")

#: The values of `sort` of the last row, as Elasticsearch wrote them: where the next page begins.
Place = msgspec.Raw


class Shards(msgspec.Struct):
    total: Number
    successful: Number
    failed: Number


class Hits(msgspec.Struct, Generic[Hit]):
    hits: list[Hit]


class Total(msgspec.Struct):
    """Of all rows: another relation than this one is a guess."""

    value: Number
    relation: Literal["eq"]


class Counted(msgspec.Struct):
    total: Total


class Answer(msgspec.Struct):
    """What every answer of a search tells about itself."""

    timed_out: bool
    shards: Shards = msgspec.field(name="_shards")
    pit_id: str | None = None


class Rows(Answer, Generic[Hit], kw_only=True):
    hits: Hits[Hit]


class Sorted(Measure, gc=False):
    sort: msgspec.Raw = msgspec.Raw()


class Loose(msgspec.Struct, gc=False):
    """A row in dicts. `sort`: where it was asked for."""

    id: str
    source: Any
    sort: Place | None


class Skipped(msgspec.Struct, gc=False):
    """A row of which only its place matters."""

    sort: msgspec.Raw


class Edge(msgspec.Struct):
    value: float | None


class Edges(msgspec.Struct):
    first: Edge
    last: Edge


class Summary(Answer, kw_only=True):
    """Rows, and the first and last instant of them."""

    hits: Counted
    aggregations: Edges | None = None


class Bucket(msgspec.Struct, gc=False):
    key: Instant
    doc_count: Number


class Buckets(msgspec.Struct):
    buckets: list[Bucket]


class Times(msgspec.Struct):
    times: Buckets


class Timeline(Answer, kw_only=True):
    aggregations: Times


class Part(msgspec.Struct):
    doc_count: Number


class Parts(msgspec.Struct):
    buckets: list[Part]


class Stretches(msgspec.Struct):
    times: Parts


class Pieces(Answer, kw_only=True):
    """Rows of stretches of time, in the order in which they were asked for."""

    aggregations: Stretches


class Pair(msgspec.Struct):
    name: str | None
    type: str | None


class SlotBucket(msgspec.Struct):
    key: Pair


class Composite(msgspec.Struct):
    buckets: list[SlotBucket]
    after_key: dict[str, Any] | None = None


class Slots(msgspec.Struct):
    slots: Composite


class Occurring(Answer, kw_only=True):
    aggregations: Slots


MEASURES = msgspec.json.Decoder(Rows[Measure])
SORTED = msgspec.json.Decoder(Rows[Sorted])
SKIPPED = msgspec.json.Decoder(Rows[Skipped])
ANSWER = msgspec.json.Decoder(Answer)
SUMMARY = msgspec.json.Decoder(Summary)
TIMELINE = msgspec.json.Decoder(Timeline)
PIECES = msgspec.json.Decoder(Pieces)
OCCURRING = msgspec.json.Decoder(Occurring)

Whole = TypeVar("Whole", bound=Answer)


@dataclass(frozen=True)
class Page:
    """`rows`: read of the store, whether they match or not. `place`: of the last of them, where that was asked for."""

    measures: Sequence[Any]
    rows: int
    place: Place | None
    pit_id: str | None


def whole(answer: Whole) -> Whole:
    """The answer, when all shards gave it in full. Raises `Unsound`."""
    if answer.timed_out:
        raise TimedOut
    if answer.shards.failed or answer.shards.successful < answer.shards.total:
        raise Unsound(f"{answer.shards.total - answer.shards.successful} of {answer.shards.total} shards failed")
    return answer


def decoded(body: bytes, decoder: "msgspec.json.Decoder[Whole]") -> Whole:
    """Of counts. Raises `Unsound`."""
    return whole(answers.typed(body, decoder))


def measures(body: bytes, rows: int, *, placed: bool) -> Page:
    """Raises `Unsound` when it has not as many rows as it should. `placed`: with the place of the last."""
    try:
        return page(SORTED.decode(body) if placed else MEASURES.decode(body), rows)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = page(loose(body), rows)
        return replace(found, measures=[odd.measure(hit.id, hit.source) for hit in found.measures])


def skipped(body: bytes, rows: int) -> Page:
    """Places only."""
    return replace(page(decoded(body, SKIPPED), rows), measures=())


def page(answer: Rows[Any], rows: int) -> Page:
    """Of hits of any kind. Raises `Unsound`."""
    found = whole(answer).hits.hits
    check(len(found), rows)
    return Page(found, rows, place(found[-1]) if found else None, answer.pit_id)


def loose(body: bytes) -> Rows[Loose]:
    """What typed decode refuses: one odd document must not make an asset unexportable. Raises `Unsound`."""
    return answers.read(lambda: rows_of(odd.loads(body)))


def rows_of(answer: Any) -> Rows[Loose]:
    about = msgspec.convert(answer, Answer)
    hits = [Loose(answers.text(hit["_id"]), hit["_source"], sort(hit)) for hit in answer["hits"]["hits"]]
    return Rows(timed_out=about.timed_out, shards=about.shards, pit_id=about.pit_id, hits=Hits(hits))


def sort(hit: Any) -> Place | None:
    return msgspec.Raw(msgspec.json.encode(hit["sort"])) if "sort" in hit else None


def place(hit: Any) -> Place | None:
    """A copy: the page itself is let go."""
    sort = getattr(hit, "sort", None)
    return None if sort is None else sort.copy()


def check(found: int, rows: int) -> None:
    if found != rows:
        raise Unsound(f"a page has {found} rows where {rows} were counted")


def slot(bucket: SlotBucket) -> Slot:
    return Slot(bucket.key.name, bucket.key.type)


def columns(buckets: Sequence[Bucket]) -> "tuple[array[int], array[int]]":
    """Keys and counts: a few thousand of each, kept for as long as a download takes."""
    return array("q", (bucket.key for bucket in buckets)), array("q", (bucket.doc_count for bucket in buckets))
