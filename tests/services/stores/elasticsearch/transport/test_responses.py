"""Answers of searches: nothing of one is used that is not whole, and no odd document costs a page."""

import json
from typing import Any

import msgspec
import pytest

from services.measures import Asset, Measure, Origin, Slot, Source
from services.stores.elasticsearch.transport import responses
from services.stores.elasticsearch.transport.responses import Page, Unsound

JSON = dict[str, Any]

SHARDS = {"total": 2, "successful": 2, "skipped": 0, "failed": 0}
NUMBERED = {"measuredAt": 1, "type": "t", "values": {"t": 0.5}, "asset": {"_id": "A", "model": "M", "measureName": "s"}}


def hit(number: int, source: JSON | None = None) -> JSON:
    return {
        "_index": "&e.measures", "_id": f"m{number}", "_score": None,
        "_source": {**NUMBERED, "_kuzzle_info": {"author": None}} if source is None else source,
        "sort": [number, number, 0],
    }  # fmt: skip


def answer(found: list[JSON] | None = None, **changes: Any) -> bytes:
    whole = {"pit_id": "p1", "took": 3, "timed_out": False, "_shards": SHARDS, "hits": {"hits": found or []}}
    return json.dumps({**whole, **changes}).encode()


def two(**changes: Any) -> bytes:
    return answer([hit(0), hit(1)], **changes)


MEASURE = Source(1, "t", {"t": 0.5}, Asset("A", "M", "s"), None)


@pytest.mark.parametrize("with_cursor", [False, True])
def test_a_whole_page(with_cursor: bool) -> None:
    """Its measures, in order, the newest id of the view, and where the next page begins if that was asked for."""
    page = responses.measures(two(), 2, with_cursor=with_cursor)
    assert [(one.id, one.source) for one in page.measures] == [("m0", MEASURE), ("m1", MEASURE)]
    assert (page.rows, page.pit_id) == (2, "p1")
    assert (page.cursor is not None) == with_cursor


def test_a_place_is_as_elasticsearch_wrote_it() -> None:
    """Digits of any number, texts, null."""
    places = ['[1718000000000,"é\\u0000",null,9223372036854775807,1.5E300,"Infinity"]', "[0.1]"]
    for place in places:
        body = answer([{**hit(0), "sort": "PLACE"}]).replace(b'"PLACE"', place.encode())
        for page in (responses.measures(body, 1, with_cursor=True), responses.skipped(body, 1)):
            assert page.cursor is not None
            assert bytes(page.cursor) == place.encode()
            assert msgspec.json.encode({"search_after": page.cursor}) == b'{"search_after":%s}' % place.encode()


def test_a_place_does_not_hold_its_page() -> None:
    """A copy: the page may be large."""
    page = responses.skipped(two(), 2)
    assert page.cursor is not None
    assert len(memoryview(page.cursor).obj) < 100  # type: ignore[arg-type]


def test_rows_that_are_skipped() -> None:
    """No measures of them."""
    hits = [{"_index": "&e.measures", "_id": f"m{number}", "_score": None, "sort": [number]} for number in range(3)]
    page = responses.skipped(answer(hits), 3)
    assert (page.measures, page.rows, bytes(page.cursor or b"")) == ((), 3, b"[2]")


WRONG: dict[str, tuple[JSON, str]] = {
    "timed out": ({"timed_out": True}, "timed out before it was complete"),
    "a failed shard": ({"_shards": {"total": 2, "successful": 1, "failed": 1}}, "1 of 2 shards failed"),
    "a shard that is not heard of": ({"_shards": {"total": 2, "successful": 1, "failed": 0}}, "1 of 2 shards failed"),
    "a failed one among too many": ({"_shards": {"total": 2, "successful": 2, "failed": 1}}, "of 2 shards failed"),
    "no word of time": ({"timed_out": None}, "cannot be read"),
    "no word of shards": ({"_shards": None}, "cannot be read"),
    "no hits": ({"hits": {}}, "cannot be read"),
    "hits of another kind": ({"hits": {"hits": {"a": 1}}}, "cannot be read"),
    "an error within": ({"hits": None, "error": {"type": "x"}}, "cannot be read"),
}


@pytest.mark.parametrize("with_cursor", [False, True])
@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=list(WRONG))
def test_an_answer_that_is_not_whole(changes: JSON, words: str, with_cursor: bool) -> None:
    """Nothing of it is used; it may go better next time."""
    with pytest.raises(Unsound, match=words):
        responses.measures(two(**changes), 2, with_cursor=with_cursor)
    with pytest.raises(Unsound):
        responses.skipped(two(**changes), 2)


@pytest.mark.parametrize("with_cursor", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 3, 5000])
def test_rows_against_their_count(rows: int, with_cursor: bool) -> None:
    """Neither fewer nor more."""
    with pytest.raises(Unsound, match=f"a page has 2 rows where {rows} were counted"):
        responses.measures(two(), rows, with_cursor=with_cursor)
    with pytest.raises(Unsound, match=f"a page has 2 rows where {rows} were counted"):
        responses.skipped(two(), rows)


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"<html>", b"\xff\xfe", two()[:-1], two() + b"{}"])
def test_what_is_no_answer(body: bytes) -> None:
    """Cut, or of somebody else."""
    for with_cursor in (False, True):
        with pytest.raises(Unsound, match="cannot be read"):
            responses.measures(body, 2, with_cursor=with_cursor)
    with pytest.raises(Unsound, match="cannot be read"):
        responses.skipped(body, 2)


ODD: dict[str, tuple[str, Source]] = {
    "text that is no Unicode": ('{"type": "\\ud800", "values": {"\\udc00": "a\\ud83d"}}',
                                Source(type="\ufffd", values={"\ufffd": "a\ufffd"})),
    "a number that is no double": ('{"measuredAt": 1, "values": {"t": 1e400}}',
                                   Source(1, values={"t": float("inf")})),
    "a type that is a number": ('{"type": 7, "origin": {"_id": true}}',
                                Source(type="7", origin=Origin("true"))),
    "an asset in an array": ('{"asset": [{"_id": ["A"], "model": null}]}', Source(asset=Asset("A"))),
    "an origin that is text": ('{"origin": "device"}', Source()),
    "several types": ('{"type": ["a", "b"]}', Source()),
    "nothing": ("{}", Source()),
    "no document": ("null", Source()),
}  # fmt: skip


@pytest.mark.parametrize("with_cursor", [False, True])
@pytest.mark.parametrize(("source", "expected"), ODD.values(), ids=list(ODD))
def test_an_odd_document_costs_no_page(source: str, expected: Source, with_cursor: bool) -> None:
    """Those beside it are read as ever, and so is the place."""
    body = answer([hit(0), {**hit(1), "_source": "ODD"}]).replace(b'"ODD"', source.encode())
    page = responses.measures(body, 2, with_cursor=with_cursor)
    assert [(one.id, one.source) for one in page.measures] == [("m0", MEASURE), ("m1", expected)]
    assert page.pit_id == "p1"
    assert not with_cursor or msgspec.json.decode(page.cursor or b"") == [1, 1, 0]


@pytest.mark.parametrize(("changes", "words"), list(WRONG.values())[:4])
def test_an_odd_page_is_checked_as_well(changes: JSON, words: str) -> None:
    """As if it were no odd one."""
    odd = [hit(0), hit(1, {"type": 7})]
    with pytest.raises(Unsound, match=words):
        responses.measures(answer(odd, **changes), 2, with_cursor=False)
    with pytest.raises(Unsound, match="2 rows where 3"):
        responses.measures(answer(odd), 3, with_cursor=True)


def test_counts_are_checked_as_well() -> None:
    """Total, first and last instant."""
    hits: JSON = {"total": {"value": 7, "relation": "eq"}, "hits": []}
    edges = {"first": {"value": -1.5e3, "value_as_string": "x"}, "last": {"value": None}}
    summary = responses.decoded(answer(hits=hits, aggregations=edges), responses.SUMMARY)
    assert summary.hits.total.value == 7
    assert summary.aggregations is not None
    assert (summary.aggregations.first.value, summary.aggregations.last.value) == (-1500, None)
    for changes, words in list(WRONG.values())[:4]:
        with pytest.raises(Unsound, match=words):
            responses.decoded(answer(**{"hits": hits, **changes}), responses.SUMMARY)


def test_buckets_of_time() -> None:
    """Instants are exact, whatever their size."""
    buckets = [
        {"key": key, "key_as_string": "x", "doc_count": count}
        for key, count in ((-62_135_596_800_001, 1), (0, 2), (1_718_000_000_123_456_789, 3))
    ]
    timeline = responses.decoded(answer(aggregations={"times": {"buckets": buckets}}), responses.TIMELINE)
    keys, counts = responses.columns(timeline.aggregations.times.buckets)
    assert list(keys) == [-62_135_596_800_001, 0, 1_718_000_000_123_456_789]
    assert list(counts) == [1, 2, 3]


def test_slots_that_occur() -> None:
    """Either part may be missing."""
    buckets = [
        {"key": {"name": "s", "type": None}, "doc_count": 1},
        {"key": {"name": None, "type": "t"}, "doc_count": 2},
    ]
    body = answer(aggregations={"slots": {"after_key": {"name": "s", "type": None}, "buckets": buckets}})
    found = responses.decoded(body, responses.OCCURRING).aggregations.slots
    assert [responses.slot(bucket) for bucket in found.buckets] == [Slot("s", None), Slot(None, "t")]
    assert found.after_key == {"name": "s", "type": None}


def test_an_empty_page() -> None:
    """Of no rows, where none were counted."""
    assert responses.measures(answer(), 0, with_cursor=True) == Page([], 0, None, "p1")


def test_measures_are_not_followed_by_the_collector() -> None:
    """Five thousand a page."""
    (one, *_) = responses.measures(two(), 2, with_cursor=False).measures
    assert isinstance(one, Measure)
