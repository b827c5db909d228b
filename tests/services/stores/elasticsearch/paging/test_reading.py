"""Readings of a real Elasticsearch: windows, pages within one instant, own orders; and nothing open at their ends."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
import requests

from services.errors import InvalidArgument, StoreUnavailable, UnknownEngine
from services.measures import SortKey, Target
from services.stores.elasticsearch.paging.page_requests import SKIP_ROWS
from services.stores.elasticsearch.paging.windows import WINDOW_ROWS
from services.stores.port import Count, Notice
from tests.services.stores.elasticsearch.conftest import NOON, Place, Stored, engine, measure
from tests.support import kuzzle, proxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.elasticsearch

ASC, DESC = (SortKey("measuredAt"),), (SortKey("measuredAt", "desc"),)
BY_DEVICE = (SortKey("origin._id"), SortKey("measuredAt", "desc"))

MANY, TIED = 12_300, 12_000

#: Instants of nobody's measures: the epoch, the far future, and nanoseconds where milliseconds belong.
STRAYS = (0, 4_102_444_800_000, 1_718_000_000_123_456_789)

#: id, `measuredAt`, device.
Row = tuple[str, int, str]


def many() -> list[Row]:
    """A second apart, ten to a second at times, not in order of time; and the strays."""
    chance = Random(1)
    rows = [(f"m{number:05}", NOON + number // 10 * 10_000, f"D-{number % 7}") for number in range(0, MANY, 3)]
    rows += [(f"n{number:05}", NOON + number * 1000, f"D-{number % 5}") for number in range(0, MANY, 3)]
    rows += [(f"o{number:05}", NOON + chance.randrange(MANY * 1000), f"D-{number % 3}") for number in range(0, MANY, 3)]
    rows += [(f"s{number}", at, "D-9") for number, at in enumerate(STRAYS)]
    chance.shuffle(rows)
    return rows


def tied() -> list[Row]:
    """Most of one millisecond, some around."""
    rows = [(f"t{number:05}", NOON, f"D-{number % 4}") for number in range(TIED)]
    return [("u0", NOON + 1, "D-0"), *rows, ("u1", NOON - 1, "D-1"), ("u2", NOON + 1, "D-2")]


COLUMNS: dict[str, Callable[[Row], Any]] = {"measuredAt": itemgetter(1), "origin._id": itemgetter(2)}

ROWS = {"Bare-many": many(), "Bare-tied": tied()}


def in_order(rows: list[Row], sort: tuple[SortKey, ...]) -> list[str]:
    """Ties in order of insertion."""
    found = list(rows)
    for key in reversed(sort):
        found.sort(key=COLUMNS[key.field], reverse=key.order == "desc")
    return [row[0] for row in found]


@pytest.fixture(scope="module")
def stored(place: Place, unique: Callable[[str], str]) -> Stored:
    return place(documents(unique("windows")), 1)


@pytest.fixture(scope="module")
def sharded(place: Place, unique: Callable[[str], str]) -> Stored:
    return place(documents(unique("shards")), 3)


def documents(name: str) -> kuzzle.Kuzzle:
    made = engine(name)
    for asset, rows in ROWS.items():
        made.asset(name, *asset.split("-"))
        for id, at, device in rows:
            made.measure(name, id, measure(asset, at, origin={"type": "device", "_id": device}))
    return made


SORTS = pytest.mark.parametrize("sort", [ASC, DESC, BY_DEVICE], ids=["oldest first", "newest first", "by device"])


@SORTS
@pytest.mark.parametrize("asset", list(ROWS))
def test_every_row_in_its_order(stored: Stored, asset: str, sort: tuple[SortKey, ...]) -> None:
    """Over several windows and pages, whatever stray instants there are."""
    assert stored.ids(asset, sort=sort) == in_order(ROWS[asset], sort)


@SORTS
@pytest.mark.parametrize("asset", list(ROWS))
@pytest.mark.parametrize(
    ("offset", "size"),
    [
        (1, 3), (499, 2), (777, 5001), (WINDOW_ROWS - 1, 2), (SKIP_ROWS - 1, 3), (SKIP_ROWS + 700, WINDOW_ROWS),
        (11_990, None), (12_002, 1), (20_000, None),
    ],
)  # fmt: skip
def test_parts(stored: Stored, asset: str, sort: tuple[SortKey, ...], offset: int, size: int | None) -> None:
    """`from` and `size` anywhere: within a window, within an instant, beyond the end."""
    part = in_order(ROWS[asset], sort)[offset : None if size is None else offset + size]
    assert stored.ids(asset, sort=sort, offset=offset, size=size) == part


def test_what_from_passes_over_is_not_read(stored: Stored) -> None:
    """By counts, whole windows at a time."""
    seen = len(stored.peer.asked)
    assert len(stored.ids("Bare-many", offset=MANY - 100, size=10)) == 10
    sizes = [one.json["size"] for one in stored.peer.asked[seen:] if one.is_page]
    assert len(sizes) == 1
    assert sizes[0] <= 501


def test_what_an_order_of_its_own_passes_over_is_not_sent(stored: Stored) -> None:
    """Only the places of its rows."""
    seen = len(stored.peer.asked)
    assert len(stored.ids("Bare-many", sort=BY_DEVICE, offset=10_000, size=10)) == 10
    bodies = [one.json for one in stored.peer.asked[seen:] if one.is_page]
    assert [(body["size"], body.get("_source")) for body in bodies] == [(9000, False), (1000, False), (10, None)]


@SORTS
def test_several_shards(sharded: Stored, sort: tuple[SortKey, ...]) -> None:
    """Every row, in order; ties the same each time."""
    found = sharded.ids("Bare-many", sort=sort)
    rows = {row[0]: row for row in ROWS["Bare-many"]}

    def keys(ids: list[str]) -> list[list[Any]]:
        return [[COLUMNS[key.field](rows[id]) for key in sort] for id in ids]

    assert keys(found) == keys(in_order(ROWS["Bare-many"], sort))
    assert len(set(found)) == len(found)
    assert sharded.ids("Bare-many", sort=sort) == found
    assert sharded.ids("Bare-many", sort=sort, offset=5678, size=777) == found[5678 : 5678 + 777]


def test_many_at_once(stored: Stored) -> None:
    """Within one small budget: each its own rows, and nothing held at the end."""
    expected = [in_order(ROWS["Bare-many"], sort) for sort in (ASC, DESC)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: stored.ids("Bare-many", sort=(ASC, DESC)[number % 2]), range(8)))
    assert [ids == expected[number % 2] for number, ids in enumerate(found)] == [True] * 8
    wait_until(lambda: not stored.peer.views, seconds=10)
    assert stored.budget.used == 0


def test_what_is_read_is_as_it_was(stored: Stored, elasticsearch_url: str) -> None:
    """One view of all: what is written meanwhile is of the next export."""
    reading = stored.store.open(stored.request("Bare-tied", sort=ASC))
    pages = reading.pages()
    found = len(next(iter(pages)))
    index = kuzzle.index_url(elasticsearch_url, f"{stored.engine}.measures")
    requests.put(f"{index}/_doc/new?refresh=true", json=measure("Bare-tied", NOON), timeout=30).raise_for_status()
    try:
        assert found + sum(map(len, pages)) == len(ROWS["Bare-tied"])
        assert len(stored.ids("Bare-tied", sort=ASC)) == len(ROWS["Bare-tied"]) + 1
    finally:
        reading.close()
        requests.delete(f"{index}/_doc/new?refresh=true", timeout=30).raise_for_status()


class TestEnds:
    """Nothing is open after any of them: no view, no page ahead."""

    @pytest.fixture(autouse=True)
    def _nothing_is_open(self, stored: Stored) -> Any:
        wait_until(lambda: not stored.peer.views, seconds=10)
        yield
        wait_until(lambda: not stored.peer.views, seconds=10)
        assert stored.budget.used == 0
        wait_until(lambda: "page-ahead" not in [thread.name for thread in threading.enumerate()], seconds=10)

    @pytest.mark.parametrize("taken", [0, 1, 3])
    def test_it_is_left(self, stored: Stored, taken: int) -> None:
        """Before the first page, and after some."""
        reading = stored.store.open(stored.request("Bare-many"))
        assert len(stored.peer.views) == 1
        for _ in zip(range(taken), reading.pages(), strict=False):
            pass
        reading.close()
        reading.close()

    def test_it_ends(self, stored: Stored) -> None:
        assert len(stored.ids("Bare-many", size=600)) == 600

    def test_nothing_to_read(self, stored: Stored) -> None:
        assert stored.ids("Bare-many", size=0) == []
        assert stored.ids("nobody's") == []

    def test_a_page_fails(self, stored: Stored) -> None:
        with stored.peer.spoiling(proxy.row_short, after=1), pytest.raises(StoreUnavailable, match="were counted"):
            stored.ids("Bare-many")

    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_a_count_fails(self, stored: Stored, after: int) -> None:
        """At any time before the first page."""

        def is_count(asked: proxy.Asked) -> bool:
            return "/_search" in asked.path and not asked.is_page

        with (
            stored.peer.spoiling(proxy.refused(500), of=is_count, after=after, times=1),
            pytest.raises(StoreUnavailable, match="Elasticsearch refuses"),
        ):
            stored.ids("Bare-many", start_ms=0)

    def test_what_elasticsearch_refuses(self, stored: Stored) -> None:
        """After the view was opened."""
        with pytest.raises(InvalidArgument):
            stored.ids("Bare-many", elastic_query={"range": {"measuredAt": {"gte": "no date"}}})


@pytest.mark.parametrize(
    ("field", "options"), [("values.note", {}), ("nowhere", {}), ("values", {}), ("type", {"mode": "avg"})]
)
def test_sorts_that_elasticsearch_refuses(stored: Stored, field: str, options: dict[str, Any]) -> None:
    """At prepare: text, unmapped, objects, modes of numbers."""
    with pytest.raises(InvalidArgument, match="sort"):
        stored.store.check(stored.request("Bare-many", sort=(SortKey(field, **options),)))


def test_an_unmapped_field_with_a_type(stored: Stored) -> None:
    """Sorted as if it were missing: all of them ties."""
    sort = (SortKey("nowhere", unmapped_type="long"),)
    assert stored.store.check(stored.request("Bare-many", sort=sort)) == Count(len(ROWS["Bare-many"]), True)
    assert stored.ids("Bare-many", sort=sort) == [id for id, _, _ in ROWS["Bare-many"]]


#: id and `measuredAt`, in order of time; the first instant of several when oldest first.
ODD: list[tuple[str, Any]] = [
    ("-ns", -171_800_000_012_345_678),
    ("several", ["2024-06-10T06:13:20Z", 5]),
    ("text", "2024-06-10T06:13:20.001Z"),
    ("twice", [NOON + 2, NOON + 2]),
    ("fraction", NOON + 3.75),
    ("number", NOON + 4),
    ("in an array", [NOON + 5]),
    ("+ns", 1_718_000_000_123_456_789),
]
LEFT_OUT: list[tuple[str, Any]] = [("null", None), ("empty", []), ("absent", ...)]


@pytest.fixture(scope="module")
def odd(place: Place, unique: Callable[[str], str]) -> Stored:
    """And 6,000 more, so that there are windows."""
    made = engine(name := unique("odd"))
    for id, at in ODD + LEFT_OUT:
        made.measure(name, id, measure("Bare-odd", at))
        made.measure(name, f"few {id}", measure("Bare-few", at))
    for number in range(6000):
        made.measure(name, f"m{number:04}", measure("Bare-odd", NOON + 100 + number))
    return place(made, 1)


def test_odd_instants(odd: Stored) -> None:
    """Arrays, texts, fractions, nanoseconds: all of them rows."""
    numbered = [f"m{number:04}" for number in range(6000)]
    names = [id for id, _ in ODD]
    assert odd.ids("Bare-odd", sort=ASC) == [*names[:-1], *numbered, "+ns"]
    newest = ["+ns", *numbered[::-1], *names[-2:1:-1], "several", "-ns"]
    assert odd.ids("Bare-odd", sort=DESC) == newest
    assert odd.ids("Bare-few", sort=ASC) == [f"few {id}" for id in names]


def test_what_has_no_instant_is_no_measure(odd: Stored, caplog: pytest.LogCaptureFixture) -> None:
    """Left out of rows and counts; their number is told, whatever the range, and in the log."""
    message = "3 documents have no measuredAt that can be read as an instant: no measures, and not in the file."
    notice = Notice("measures.without_instant", 3, message)
    with caplog.at_level(logging.WARNING):
        assert odd.store.check(odd.request("Bare-few")) == Count(len(ODD), True, (notice,))
        assert odd.store.check(odd.request("Bare-few", start_ms=0, end_ms=1)).notices == (notice,)
        assert odd.store.check(odd.request("Bare-few", type="nobody's")).notices == ()
        odd.ids("Bare-few")
        wait_until(lambda: "export x1: 3 documents without measuredAt are no measures, and left out" in caplog.text)


def test_an_engine_without_measures(place: Place, unique: Callable[[str], str], elasticsearch_url: str) -> None:
    """It has no index for them: a store that is not as Kuzzle has it, named."""
    made = engine(name := unique("none"))
    made.asset(name, "Bare", "one")
    stored = place(made, 1)
    del made.collections[name, "measures"]
    requests.delete(kuzzle.index_url(elasticsearch_url, f"{name}.measures"), timeout=30).raise_for_status()
    assert stored.store.model(Target(name, "assets", "Bare-one")).name == "Bare"
    for refused in (stored.store.check, stored.store.open):
        with pytest.raises(StoreUnavailable, match=rf'no "@&{name}.measures"'):
            refused(stored.request("Bare-one"))
    with pytest.raises(UnknownEngine):
        stored.store.model(Target(f"{name}-x", "assets", "Bare-one"))


def test_an_alias_is_what_is_read(place: Place, unique: Callable[[str], str], elasticsearch_url: str) -> None:
    """Kuzzle may have moved the documents into an index of another name."""
    made = engine(name := unique("moved"))
    stored = place(made, 1)
    old, new, names = f"&{name}.measures", f"&{name}.other", f"@&{name}.measures"
    mapping = made.collections[name, "measures"].mapping
    body = {"mappings": mapping, "settings": {"number_of_replicas": 0}}
    requests.put(f"{elasticsearch_url}/{quote(new)}", json=body, timeout=30).raise_for_status()
    try:
        document = measure("Bare-one", NOON)
        requests.put(f"{elasticsearch_url}/{quote(new)}/_doc/m1?refresh=true", json=document, timeout=30)
        actions = [{"remove": {"index": old, "alias": names}}, {"add": {"index": new, "alias": names}}]
        requests.post(f"{elasticsearch_url}/_aliases", json={"actions": actions}, timeout=30).raise_for_status()
        assert stored.ids("Bare-one") == ["m1"]
    finally:
        requests.delete(f"{elasticsearch_url}/{quote(new)}", timeout=30).raise_for_status()
