"""Responses of searches, decoded: pages of measures and counts, each checked before anything of it is used."""

import contextlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

import msgspec

from services import lenient_json
from services.measures import Measure, Slot, Source
from services.options import Options
from services.scheduling.tick import Tick, no_tick
from services.stores import lenient
from services.stores.elasticsearch.transport import shapes
from services.stores.elasticsearch.transport.shapes import TimedOut
from services.stores.elasticsearch.transport.shapes import Unsound as Unsound

Number = Annotated[int, msgspec.Meta(ge=0)]
Instant = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

Hit = TypeVar("Hit")
Item = TypeVar("Item")

#: The values of `sort` of the last row, as Elasticsearch wrote them: where the next page begins.
Cursor = msgspec.Raw


class Shards(msgspec.Struct):
    total: Number
    successful: Number
    failed: Number


class Hits(msgspec.Struct, Generic[Hit]):
    hits: list[Hit]


class Total(msgspec.Struct):
    """An exact number of rows: with another relation than `eq` it would be a guess."""

    value: Number
    relation: Literal["eq"]


class Counted(msgspec.Struct):
    total: Total


class Answer(msgspec.Struct):
    """What the answer of every search tells about itself."""

    timed_out: bool
    shards: Shards = msgspec.field(name="_shards")
    pit_id: str | None = None


class RowsAnswer(Answer, Generic[Hit], kw_only=True):
    hits: Hits[Hit]


class Sorted(Measure, gc=False):
    sort: msgspec.Raw = msgspec.Raw()


class Loose(msgspec.Struct, gc=False):
    """A row as dicts, of a document that does not have the usual shape."""

    id: str
    source: Any
    document: bytes | None = None


class Document(msgspec.Struct, gc=False):
    """A row of which only the bytes of its document matter."""

    id: str = msgspec.field(name="_id")
    source: msgspec.Raw = msgspec.field(name="_source")


class RawHit(Document, gc=False):
    """A row with the bytes of its document, and its cursor, if it has one."""

    sort: msgspec.Raw = msgspec.Raw()


class Last(msgspec.Struct):
    """The last row of a page, which may have a cursor."""

    sort: msgspec.Raw = msgspec.Raw()


class Skipped(msgspec.Struct, gc=False):
    """A row of which only the cursor matters."""

    sort: msgspec.Raw


class Extreme(msgspec.Struct):
    value: float | None


class Extremes(msgspec.Struct):
    first: Extreme
    last: Extreme


class Summary(Answer, kw_only=True):
    """The number of rows, and their first and last instant."""

    hits: Counted
    aggregations: Extremes | None = None


class Bucket(msgspec.Struct, gc=False):
    key: Instant
    doc_count: Number


class Stretch(msgspec.Struct):
    doc_count: Number


class SlotKey(msgspec.Struct):
    name: str | None
    type: str | None
    model: str | None = None


class SlotBucket(msgspec.Struct):
    key: SlotKey


class IndexBucket(msgspec.Struct):
    key: str


class IdKey(msgspec.Struct):
    id: str


class TargetBucket(msgspec.Struct):
    """A target, and how many rows it has."""

    key: IdKey
    doc_count: Number


class NewestHits(msgspec.Struct):
    hits: Hits[msgspec.Raw]


class NewestBucket(TargetBucket, kw_only=True):
    """A target, or a slot of it, with its newest row."""

    newest: NewestHits


class Buckets(msgspec.Struct, Generic[Item]):
    """The buckets of an aggregation. `after_key`: of a composite one, where the next answer begins."""

    buckets: list[Item]
    after_key: dict[str, Any] | None = None


class Times(msgspec.Struct, Generic[Item]):
    times: Buckets[Item]


class Slots(msgspec.Struct):
    slots: Buckets[SlotBucket]


class Targets(msgspec.Struct, Generic[Item]):
    targets: Buckets[Item]


class ByIndex(msgspec.Struct):
    by_index: Buckets[IndexBucket]


class Aggregated(Answer, Generic[Item], kw_only=True):
    aggregations: Item


class Sample(msgspec.Struct):
    hits: Hits[msgspec.Raw]


class Samples(msgspec.Struct):
    rows: Sample


class Sizes(Answer, kw_only=True):
    """A few rows, as Elasticsearch wrote them."""

    aggregations: Samples | None = None


#: Bytes of an answer that is decoded at once, and of its pieces where it is not.
LARGE_BYTES, PIECE_BYTES = 6 * 2**20, 256 * 1024

MEASURES = msgspec.json.Decoder(RowsAnswer[Measure])
SORTED = msgspec.json.Decoder(RowsAnswer[Sorted])
LISTED = msgspec.json.Decoder(list[Measure])
HITS = msgspec.json.Decoder(RowsAnswer[msgspec.Raw])
DOCUMENTS = msgspec.json.Decoder(list[Document])
RAW = msgspec.json.Decoder(RowsAnswer[RawHit])
SOURCES = msgspec.json.Decoder(list[Source])
LAST = msgspec.json.Decoder(Last)
SKIPPED = msgspec.json.Decoder(RowsAnswer[Skipped])
ANSWER = msgspec.json.Decoder(Answer)
SUMMARY = msgspec.json.Decoder(Summary)
TIMELINE = msgspec.json.Decoder(Aggregated[Times[Bucket]])
BY_INDEX = msgspec.json.Decoder(Aggregated[ByIndex])
SIZES = msgspec.json.Decoder(Sizes)
PIECES = msgspec.json.Decoder(Aggregated[Times[Stretch]])
TARGETS = msgspec.json.Decoder(Aggregated[Targets[TargetBucket]])
NEWEST = msgspec.json.Decoder(Aggregated[Targets[NewestBucket]])
OCCURRING = msgspec.json.Decoder(Aggregated[Slots])

AnySearch = TypeVar("AnySearch", bound=Answer)


@dataclass(frozen=True)
class Page:
    """Holds the measures of a page that match. `rows`: how many were read, whether they match or not.

    `cursor`: that of the last row, if it was asked for. `pit_id`: the newest id of the point in time, if one was told.
    """

    measures: Sequence[Any]
    rows: int
    cursor: Cursor | None
    pit_id: str | None


@dataclass(frozen=True)
class Fetched:
    """Holds the body of a page, not looked into, and the seconds that it took to come."""

    body: bytes
    seconds: float


@dataclass(frozen=True)
class ReadPage:
    """Holds a page, and what it cost: `seconds` to come, and a row of it so many bytes and seconds of the CPU.

    Both are `None` of a page of which only the cursor was wanted.
    """

    page: Page
    seconds: float
    row_bytes: float | None = None
    row_seconds: float | None = None


#: Reads hits, as Elasticsearch wrote them.
Read = Callable[[Sequence[msgspec.Raw]], Sequence[Measure]]

#: What is looked at of a document that is written as it is.
NO_SOURCE = Source()


class Decode(Protocol):
    """Turns a body that should have so many rows into a page. Raises `Unsound` when it has not."""

    def __call__(self, body: bytes, rows: int, *, with_cursor: bool) -> Page: ...


def complete(answer: AnySearch) -> AnySearch:
    """Return an answer that all shards gave in full. Raises `Unsound` for any other."""
    if answer.timed_out:
        raise TimedOut
    if answer.shards.failed or answer.shards.successful < answer.shards.total:
        raise Unsound(f"{answer.shards.total - answer.shards.successful} of {answer.shards.total} shards failed")
    return answer


def decoded(body: bytes, decoder: "msgspec.json.Decoder[AnySearch]") -> AnySearch:
    """Return an answer, decoded. Raises `Unsound` when it is not whole."""
    try:
        return complete(decoder.decode(body))
    except shapes.MISSHAPEN:  # perhaps it holds text that is no Unicode
        return complete(shapes.typed(lenient_json.mended_json(body), decoder))


def of_piece(hits: Sequence[msgspec.Raw]) -> list[Measure]:
    try:
        return LISTED.decode(json_array(hits))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return [lenient.measure(hit.id, hit.source) for hit in map(loose, hits)]


def with_documents(measures: Sequence[Any], hits: Sequence[msgspec.Raw]) -> Sequence[Any]:
    """Return the measures of hits, each with the bytes of its `_source`."""
    for measure, document in zip(measures, documents(hits), strict=True):
        measure.document = bytes(document.source)
    return measures


def documents(hits: Sequence[msgspec.Raw]) -> Sequence[Document]:
    try:
        return DOCUMENTS.decode(json_array(hits))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return DOCUMENTS.decode(lenient_json.mended_json(json_array(hits)))


def measures_and_documents(hits: Sequence[msgspec.Raw]) -> Sequence[Measure]:
    """Return the measures of hits with their documents."""
    return with_documents(of_piece(hits), hits)


def only_documents(hits: Sequence[msgspec.Raw]) -> Sequence[Measure]:
    """Return the measures of hits with their documents, of which nothing else is looked at."""
    return [Measure(document.id, NO_SOURCE, bytes(document.source)) for document in documents(hits)]


def read_of(options: Options) -> Read:
    """Return what reads the hits of an export with these options."""
    if not options.wants_cells:
        return only_documents
    return measures_and_documents if options.wants_documents else of_piece


def sample(body: bytes, read: Read) -> Sequence[Measure]:
    """Return the measures of an answer that may have any number of them. Raises `Unsound`."""
    return shapes.well_shaped(partial(read, apart(body).hits.hits))


def measures(body: bytes, rows: int, *, with_cursor: bool, read: Read = of_piece, look: Tick = no_tick) -> Page:
    """Return the page of a body that should have so many rows. Raises `Unsound` when it has not.

    `with_cursor`: with that of the last row. `read`: reads hits. `look` is called between the parts of long work.
    """
    if len(body) <= LARGE_BYTES:
        with contextlib.suppress(msgspec.DecodeError):
            if read is not of_piece:
                return raw_page(body, rows, cells=read is measures_and_documents)
            return page(SORTED.decode(body) if with_cursor else MEASURES.decode(body), rows)
    return in_pieces(body, rows, read, look)


def raw_page(body: bytes, rows: int, *, cells: bool) -> Page:
    """Return a page of measures with their documents; without `cells` nothing else of these is looked at."""
    found = page(RAW.decode(body), rows)
    documents = [hit.source for hit in found.measures]
    sources = SOURCES.decode(b"[" + b",".join(documents) + b"]") if cells else [NO_SOURCE] * rows
    measures = [Measure(*each) for each in zip([hit.id for hit in found.measures], sources, documents, strict=True)]
    return replace(found, measures=measures)


def skipped(body: bytes, rows: int) -> Page:
    """Return a page with the cursor only. Raises `Unsound` when it has not so many rows."""
    return replace(page(decoded(body, SKIPPED), rows), measures=())


def page(answer: RowsAnswer[Any], rows: int) -> Page:
    """Return a page of hits of any kind. Raises `Unsound` when it has not so many rows."""
    found = complete(answer).hits.hits
    check_rows(len(found), rows)
    return Page(found, rows, cursor_of(found[-1]) if found else None, answer.pit_id)


def in_pieces(body: bytes, rows: int, read: Read, look: Tick) -> Page:
    """Return the page of a body that typed decoding refuses, or that is too large to be decoded at
    once.

    One odd document must not make an asset unexportable, and a page of megabytes hold up no one:
    `look` is called between pieces. Raises `Unsound`.
    """
    found = page(apart(body), rows)
    read_of_each = [shapes.well_shaped(partial(read, piece)) for piece in looking(pieces(found.measures), look)]
    cursor = shapes.typed(found.measures[-1], LAST).sort if found.measures else msgspec.Raw()
    measures = [each for part in read_of_each for each in part]
    return replace(found, measures=measures, cursor=cursor.copy() if bytes(cursor) else None)


def apart(body: bytes) -> RowsAnswer[msgspec.Raw]:
    """Return an answer whose hits are not looked into. Raises `Unsound`."""
    return decoded(body, HITS)


def pieces(hits: Sequence[msgspec.Raw]) -> Iterator[list[msgspec.Raw]]:
    """Yield hits in lists of about `PIECE_BYTES`."""
    piece: list[msgspec.Raw] = []
    size = 0
    for hit in hits:
        piece.append(hit)
        size += len(memoryview(hit))
        if size > PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def looking(parts: Iterable[Item], look: Tick) -> Iterator[Item]:
    for part in parts:
        look()
        yield part


def json_array(hits: Iterable[msgspec.Raw]) -> bytes:
    return b"[" + b",".join(map(memoryview, hits)) + b"]"


def loose(hit: msgspec.Raw) -> Loose:
    read = lenient_json.loads(bytes(hit))
    return Loose(shapes.text(read["_id"]), read["_source"])


def cursor_of(hit: Any) -> Cursor | None:
    """Return a copy of the cursor of a row: the page itself is let go."""
    sort = getattr(hit, "sort", None)
    return None if sort is None else sort.copy()


def check_rows(found: int, rows: int) -> None:
    if found != rows:
        raise Unsound(f"a page has {found} rows where {rows} were counted")


def slot(bucket: SlotBucket) -> Slot:
    return Slot(bucket.key.name, bucket.key.type, bucket.key.model)


def columns(buckets: Sequence[Bucket]) -> "tuple[array[int], array[int]]":
    """Return keys and counts as arrays: a few thousand of each are kept for as long as a download takes."""
    return array("q", (bucket.key for bucket in buckets)), array("q", (bucket.doc_count for bucket in buckets))
