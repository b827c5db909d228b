"""A reading: one view, few rows in memory, from and size by the index; and how a page of odd documents comes out."""

import contextlib
import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest

from services.errors import ClientLeft, InvalidArgument, InvalidFilter, Overloaded, StoreUnavailable
from services.filters.koncorde.nodes import Equals, Has, Not, Or, Range
from services.filters.python import trial
from services.measures import Asset, Measure, Slot, SortKey, Source, Target
from services.scheduling import cpu_turn
from services.scheduling.cpu_turn import CpuTurns
from services.stores.port import Count
from services.stores.sqlite import SqliteStore, arranging, load, reading, schema
from services.stores.sqlite.deciding import document
from services.stores.sqlite.reading import BATCH_ROWS, FIRST_ROWS, PAGE_BYTES, PAGE_ROWS, Batch, Batches, Pages
from services.stores.sqlite.snapshot import Snapshot
from services.stores.sqlite.store import COUNTED_ROWS
from tests.services.stores.sqlite.conftest import NOON, Database, Document, measure, request

pytestmark = pytest.mark.slow

ASC, DESC = (SortKey("measuredAt"),), (SortKey("measuredAt", "desc"),)
BY_VALUE = (SortKey("type", "desc"),)


def many(rows: int, first: int = 0) -> list[Document]:
    """One a millisecond but for every tenth, which shares that of the one before."""
    return [
        measure(f"m{number}", NOON + number - (number % 10 == 9), values={"temperature": number})
        for number in range(first, first + rows)
    ]


def test_pages_have_few_rows(database: Database) -> None:
    """However many there are: twice as many as before only where eight times as many were taken."""
    database.load(measures=many(8 * PAGE_ROWS + 5))
    reading = database.store.open(request())
    assert [len(page) for page in reading.pages()] == [500] * 16 + [1000] * 8 + [2000] * 8 + [5]
    reading.close()


@pytest.mark.parametrize("sort", [ASC, BY_VALUE])
def test_pages_have_few_bytes(database: Database, sort: tuple[SortKey, ...]) -> None:
    """However large documents are: a page of them does not fill the memory."""
    text = "x" * 1_000_000
    database.load(measures=[measure(f"m{number}", NOON, values={"text": text}) for number in range(90)])
    reading = database.store.open(request(sort=sort))
    rows = [len(page) for page in reading.pages()]
    assert (sum(rows), max(rows)) == (90, PAGE_BYTES // 1_000_000 + 1)
    reading.close()


def test_a_slow_reader_has_small_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made of them is kept until it has taken it."""
    database.load(measures=many(10_100))
    reading_of = database.store.open(request())
    pages = iter(reading_of.pages())
    assert [len(next(pages)) for _ in range(17)] == [500] * 16 + [1000]
    monkeypatch.setattr(reading, "SLOW_SECONDS", -1)
    assert [len(page) for page in pages] == [500, 500, 100]
    reading_of.close()


def test_no_page_is_kept(database: Database) -> None:
    """Once handed out it is its taker's alone: a slow client holds what it was given, and nothing else."""
    database.load(measures=many(10))
    reading = database.store.open(request())
    pages = reading.pages()
    page = next(iter(pages))
    assert [type(holder) for holder in gc.get_referrers(page) if isinstance(holder, list | dict | tuple)] == []
    reading.close()


def test_a_slow_filter_is_not_counted_to_the_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a link waits: what time has not told yet may match."""
    database.load(measures=many(2 * BATCH_ROWS))
    monkeypatch.setattr(reading, "COUNT_SECONDS", -1)
    monkeypatch.setattr(cpu_turn, "LONGEST_SECONDS", -1)
    assert database.store.check(request(filter=Equals("type", "other"))) == Count(2 * BATCH_ROWS, False)
    assert database.store.check(request(filter=Has("type"))) == Count(2 * BATCH_ROWS, False)


@pytest.mark.parametrize("sort", [ASC, DESC, BY_VALUE])
@pytest.mark.parametrize("filter", [None, Range("values.temperature", gte=100, lt=4000)])
@pytest.mark.parametrize(
    ("offset", "size"), [(0, 3), (9, 2), (10, None), (1999, 2), (2000, 2000), (3899, 1), (3900, 5), (4100, 100)]
)
def test_from_and_size_across_pages(
    database: Database, sort: tuple[SortKey, ...], filter: Any, offset: int, size: int | None
) -> None:
    """A part of the whole, ties at its borders included."""
    database.load(measures=many(4200))
    options = {"sort": sort} if filter is None else {"sort": sort, "filter": filter}
    whole = database.ids(**options)
    assert len(whole) == (4200 if filter is None else 3900)
    end = None if size is None else offset + size
    assert database.ids(offset=offset, size=size, **options) == whole[offset:end]


def test_a_page_of_which_no_row_matches(database: Database) -> None:
    """Handed out empty: whoever waits learns that the reading goes on."""
    database.load(measures=many(3 * FIRST_ROWS + 1))
    reading = database.store.open(request(sort=ASC, filter=Range("values.temperature", gte=3 * FIRST_ROWS)))
    assert [[measure.id for measure in page] for page in reading.pages()] == [[], [], [f"m{3 * FIRST_ROWS}"]]
    assert reading.count == Count(3 * FIRST_ROWS + 1, False)
    reading.close()


def test_a_filter_is_counted_at_prepare(database: Database) -> None:
    """Exactly, while that is quick."""
    database.load(measures=many(50))
    assert database.store.check(request(filter=Not(Has("values.nothing")))) == Count(50, True)
    assert database.store.check(request(filter=Equals("values.temperature", 7))) == Count(1, True)
    assert database.store.check(request(filter=Equals("values.temperature", 7), start_ms=NOON + 8)) == Count(0, True)


def test_a_filter_over_many_rows_is_not_counted_at_prepare(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """`At most`, at once; one of many clauses is tried."""
    schema.ensure(database.path)
    writer = schema.writer(database.path)
    writer.executescript(f"""
        INSERT INTO keys VALUES (1, '["e", "assets", "A-1"]'), (2, '["inside", "t", "A", []]');
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {COUNTED_ROWS + 1})
        INSERT INTO measures SELECT n, 1, n, n, 1, 2, NULL, 2, '{{}}' FROM n;
    """)
    writer.close()
    assert database.store.check(request(filter=Has("type"))) == Count(COUNTED_ROWS + 1, False)
    many_clauses = Or(tuple(Has(f"f{number}") for number in range(100)))
    assert database.store.check(request(filter=many_clauses)) == Count(COUNTED_ROWS + 1, False)
    monkeypatch.setattr(trial, "PROVEN_SECONDS", 0)
    monkeypatch.setattr(trial, "MOST_ROW_SECONDS", 0)
    with pytest.raises(InvalidFilter, match="ms a row"):
        database.store.check(request(filter=many_clauses))
    assert database.store.check(request()) == Count(COUNTED_ROWS + 1, True)


@pytest.mark.parametrize("sort", [ASC, DESC, BY_VALUE])
def test_one_view_from_open_to_end(database: Database, sort: tuple[SortKey, ...]) -> None:
    """What is loaded meanwhile is in the next reading, not in this one; the loader does not wait."""
    database.load(measures=many(3 * PAGE_ROWS))
    reading = database.store.open(request(sort=sort))
    pages = iter(reading.pages())
    read = len(next(pages))
    database.load(measures=[*many(10, first=100_000), measure("m5", NOON - 1), measure("m6", values={})])
    read += sum(len(page) for page in pages)
    assert (read, reading.count) == (3 * PAGE_ROWS, Count(3 * PAGE_ROWS, True))
    reading.close()
    assert len(database.ids(sort=sort)) == 3 * PAGE_ROWS + 10


def test_readers_go_on_while_a_load_is_under_way(database: Database) -> None:
    """They see what was there before it, at any moment of it."""
    database.load(measures=many(100))
    seen: list[int] = []
    folder = database.file(
        "e.measures.ndjson",
        "".join(f"{json.dumps({'_id': id, '_source': source})}\n" for id, source in many(3000, first=1000)),
    )
    load(database.path, folder, lambda _: seen.append(len(database.ids())))
    assert len(seen) >= 3
    assert set(seen) == {100}
    assert len(database.ids()) == 3100


def test_a_measure_loaded_again_moves_to_the_end(database: Database) -> None:
    """Of the order of insertion, as Elasticsearch's `_seq_no` has it: it counts among ties."""
    database.load(measures=[measure("a"), measure("b"), measure("c")])
    assert database.ids() == ["a", "b", "c"]
    database.load(measures=[measure("a", values={"temperature": 2})])
    assert database.ids() == database.ids(sort=ASC) == ["b", "c", "a"]
    database.load(measures=[measure("a"), measure("b"), measure("a")])
    assert database.ids(sort=BY_VALUE) == ["c", "b", "a"]


def test_a_measure_loaded_again_may_change_its_target(database: Database) -> None:
    """It leaves the asset, the device, the slot and the time that it had."""
    database.load(measures=[measure("a")])
    database.load(measures=[measure("a", NOON + 1, asset={"_id": "A-2", "measureName": "x"}, origin=None, type="u")])
    assert database.ids() == []
    assert database.ids(target=Target("e", "devices", "D-1")) == []
    reading = database.store.open(request(target=Target("e", "assets", "A-2")))
    assert (reading.count, reading.slots) == (Count(1, True), {Slot("x", "u")})
    reading.close()


def test_engines_are_apart(database: Database) -> None:
    """The same ids, of assets and of measures, in two of them."""
    folder = database.file(
        "other.measures.ndjson", json.dumps(dict(zip(("_id", "_source"), measure("a"), strict=True)))
    )
    load(database.path, folder)
    database.load(measures=[measure("a"), measure("b")])
    assert database.ids() == ["a", "b"]
    assert database.ids(target=Target("other", "assets", "A-1")) == ["a"]


def test_a_reading_after_its_end(database: Database) -> None:
    """A closed one has no pages: an error, not a short end."""
    database.load(measures=many(PAGE_ROWS + 1))
    reading = database.store.open(request())
    pages = iter(reading.pages())
    next(pages)
    reading.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        next(pages)


@pytest.mark.parametrize("sort", [ASC, BY_VALUE])
def test_a_closed_reading_holds_nothing(database: Database, sort: tuple[SortKey, ...]) -> None:
    """No file, and so no view of the database, even where its pages are still in somebody's hand."""
    database.load(measures=many(PAGE_ROWS + 1))
    reading = database.store.open(request(sort=sort))
    pages = iter(reading.pages())
    next(pages)
    assert held_files(database) > 0
    reading.close()
    assert held_files(database) == 0
    del pages


def held_files(database: Database) -> int:
    return sum(file.path.startswith(database.path) for file in psutil.Process().open_files())


def test_fewer_rows_than_the_index_counts(database: Database) -> None:
    """A broken database breaks the export: never a short end."""
    database.load(measures=many(1))
    view = Snapshot(database.path, CpuTurns().share())
    batches = [Batch(1, [(1, "a", '{"measuredAt":1}')]), *[Batch(0, [])] * 2]
    pages = Pages(Batches(lambda most: batches.pop(0)), view, request(), rows=2, skip=0, size=None)
    assert next(pages) == [Measure("a", Source(1))]
    with pytest.raises(StoreUnavailable, match="lacks 1 rows"):
        next(pages)


def test_many_readings_at_once(database: Database) -> None:
    """Each has a connection of its own, whatever the thread."""
    database.load(measures=many(2500))
    store, semaphore = database.store, threading.Barrier(8)

    def read(number: int) -> int:
        reading = store.open(request(offset=number))
        semaphore.wait()
        rows = sum(len(page) for page in reading.pages())
        reading.close()
        return rows

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [2500 - number for number in range(8)]


def test_elasticsearch_queries_are_refused(database: Database) -> None:
    """By the name of the argument that asked for them."""
    store = SqliteStore(database.path, CpuTurns())
    for ask in (store.check, store.open):
        with pytest.raises(InvalidArgument, match='"lang": elasticsearch is understood only on Elasticsearch'):
            ask(request(elastic_query={"match_all": {}}))


def test_odd_documents(database: Database) -> None:
    """Wrong types, text that is no Unicode, numbers that are none: each has its row, and its neighbours theirs."""
    folder = database.file(
        "e.measures.ndjson",
        rb"""
{"_id": "a", "_source": {"measuredAt": 1, "type": 5, "asset": {"_id": "A-1", "measureName": ["s"]}, "values": 1e400}}
{"_id": "b", "_source": {"measuredAt": "2024", "asset": [{"_id": "A-1"}], "values": {"\ud800": "x\udfff"}}}
{"_id": "c", "_source": {"measuredAt": 3, "asset._id": "A-1", "values": {"a.b": 123456789012345678901234567890}}}
{"_id": "d", "_source": {"measuredAt": 4, "type": "t", "asset": {"_id": "A-1"}, "origin": 7, "values": [1.50, 2e3]}}
""",
    )
    load(database.path, folder)
    reading = database.store.open(request(sort=ASC))
    assert [measure for page in reading.pages() for measure in page] == [
        Measure("a", Source(1, "5", float("inf"), Asset("A-1", None, "s"))),
        Measure("c", Source(3, None, {"a.b": 123456789012345678901234567890})),
        Measure("d", Source(4, "t", [1.5, 2000.0], Asset("A-1"))),
        Measure("b", Source("2024", None, {"\ufffd": "x\ufffd"}, Asset("A-1"))),
    ]
    assert reading.slots == {Slot("s", "5"), Slot(None, "t"), Slot(None, None)}
    reading.close()


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ({"type": "device", "_id": "D-1"}, ["a"]),
        ({"type": "api", "_id": "D-1"}, []),
        ({"_id": "D-1"}, []),
        ({"type": "device"}, []),
        (None, []),
    ],
)
def test_what_a_device_has_measured(database: Database, origin: Any, expected: list[str]) -> None:
    """Only what it sent itself."""
    database.load(measures=[measure("a", origin=origin)])
    assert database.ids(target=Target("e", "devices", "D-1")) == expected


@pytest.mark.parametrize("options", [{"type": "nothing"}, {"type": "temperature", "end_ms": 1}])
def test_a_filter_of_a_type_that_nothing_has(database: Database, options: dict[str, Any]) -> None:
    """Nothing, and not an error: in the range, or at all."""
    database.load(measures=[measure("m1")])
    asked = request(filter=Equals("type", "temperature"), **options)
    assert database.store.check(asked) == Count(0, True)
    assert database.ids(filter=Equals("type", "temperature"), **options) == []


CLAUSES = tuple(Equals("values.temperature", number + 0.5) for number in range(100))


@pytest.mark.parametrize("sort", [ASC, DESC, BY_VALUE])
@pytest.mark.parametrize(("offset", "size"), [(0, None), (1, 1)])
def test_many_clauses_mean_what_few_do(
    database: Database, sort: tuple[SortKey, ...], offset: int, size: int | None
) -> None:
    """Decided row by row instead of by SQL: rows, order, `_id`, and documents that are odd."""
    odd = [measure("odd", NOON, values={"a.b": 10**4000, "temperature": 7})]
    database.load(measures=[*many(50), *odd])
    few = Or((Equals("values.temperature", 7), Equals("_id", "m9")))
    whole = database.ids(filter=few, sort=sort)
    assert sorted(whole) == ["m7", "m9", "odd"]
    large = Or((*few.children, *CLAUSES))
    end = None if size is None else offset + size
    assert database.ids(filter=large, sort=sort, offset=offset, size=size) == whole[offset:end]
    assert database.store.check(request(filter=large)) == Count(3, True)


def test_an_integer_of_more_digits_than_python_reads() -> None:
    """A filter is asked of the others, too."""
    assert document("x", '{"a": ' + "1" * 5000 + ', "b": 2}') == {"a": "1" * 5000, "b": 2, "_id": "x"}


def test_a_filter_that_takes_too_long_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """At prepare, and at the first page; not once a page was given."""
    database.load(measures=many(2 * FIRST_ROWS))
    asked = request(filter=Not(Or(CLAUSES)))
    begun, unbegun = (database.store.open(asked) for _ in range(2))
    pages = begun.pages()
    assert len(next(pages)) == FIRST_ROWS
    monkeypatch.setattr(trial, "PROVEN_SECONDS", 0)
    monkeypatch.setattr(trial, "MOST_ROW_SECONDS", 0)
    with pytest.raises(InvalidFilter, match="ms a row"):
        database.store.check(asked)
    with pytest.raises(InvalidFilter, match="ms a row"):
        next(unbegun.pages())
    assert len(next(pages)) == FIRST_ROWS
    begun.close()
    unbegun.close()


def test_who_has_left_is_read_nothing(database: Database) -> None:
    """Neither pages nor an order of its own; and what is held is freed."""
    database.load(measures=many(10))
    for sort in (ASC, BY_VALUE):
        left: list[bool] = []
        reading = database.store.open(request(sort=sort), CpuTurns().share(lambda left=left: bool(left)))  # type: ignore[misc]
        left.append(True)
        with pytest.raises(ClientLeft):
            next(reading.pages())
        reading.close()
        assert held_files(database) == 0


def test_few_sorts_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait, and not for ever."""
    database.load(measures=many(10))
    store = database.store
    monkeypatch.setattr(arranging, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(arranging, "LONGEST_WAIT_SECONDS", 0.02)
    with contextlib.ExitStack() as stack:
        for _ in range(arranging.MOST_SORTS):
            stack.enter_context(store.sorts.permit(due=0))
        reading = store.open(request(sort=BY_VALUE))
        with pytest.raises(Overloaded, match="exports are being sorted already"):
            next(reading.pages())
        reading.close()
    reading = store.open(request(sort=BY_VALUE))
    assert len(next(reading.pages())) == 10
    reading.close()
