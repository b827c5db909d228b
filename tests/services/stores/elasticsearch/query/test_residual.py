"""What is decided on decoded pages."""

import json
from typing import Any

import pytest

from services.filters.koncorde.parse import parse
from services.measures import Asset, Measure, Origin, Source
from services.scheduling.cpu_turn import CpuShare, CpuTurns, stays
from services.scheduling.priority_semaphore import PrioritySemaphore
from services.stores.elasticsearch.query.residual import BATCH_BYTES, BATCH_ROWS, MANY_CLAUSES, Residual
from services.stores.elasticsearch.transport.responses import Unsound

JSON = dict[str, Any]


def body(*sources: JSON) -> bytes:
    hits = [{"_id": str(number), "_source": source, "sort": [number]} for number, source in enumerate(sources)]
    shards = {"total": 1, "successful": 1, "failed": 0}
    return json.dumps({"timed_out": False, "_shards": shards, "hits": {"hits": hits}}).encode()


def found(query: JSON, *sources: JSON) -> list[Measure]:
    residual = Residual(parse(query), CpuTurns().share())
    return list(residual(body(*sources), len(sources), with_cursor=False).measures)


@pytest.mark.parametrize("field", ["asset", "origin"])
def test_an_object_that_is_a_place(field: str) -> None:
    """All of it counts then; the row keeps what it always does."""
    sources: list[JSON] = [{field: {"_id": "a", "lat": 1, "lon": 2}}, {field: {"lat": 50, "lon": 2}}, {field: None}, {}]
    (measure,) = found({"geoDistance": {field: [1, 2], "distance": "1 km"}}, *sources)
    assert measure.id == "0"
    assert getattr(measure.source, field).id == "a"


def test_what_a_row_keeps() -> None:
    """Nothing else than without a filter, whatever it names; what is absent is `None`."""
    query = {"or": [{"missing": name} for name in ("type", "values", "asset.model", "origin.reference", "measuredAt")]}
    whole: JSON = {
        "measuredAt": 1,
        "type": "t",
        "values": {"v": 1},
        "asset": {"_id": "a"},
        "origin": {"_id": "d", "reference": "r"},
    }
    first, second, third = (measure.source for measure in found(query, whole, {}, {"asset": None, "type": 5}))
    assert first.asset is not None
    assert first.origin is not None
    assert (first.asset.model, first.asset.id, first.origin.id) == (None, "a", "d")
    assert (first.measuredAt, first.type, first.values) == (1, "t", {"v": 1})
    for source, type in ((second, None), (third, "5")):
        assert (source.measuredAt, source.type, source.values, source.asset, source.origin) == (
            None, type, None, None, None,
        )  # fmt: skip


def test_rows_are_counted_before_the_filter() -> None:
    """A page with a row too few is unsound, whether that row would match or not; its place is that of the last row."""
    residual = Residual(parse({"equals": {"type": "a"}}), CpuTurns().share())
    page = residual(body({"type": "a"}, {"type": "b"}), 2, with_cursor=True)
    assert page.cursor is not None
    assert (len(page.measures), page.rows, bytes(page.cursor)) == (1, 2, b"[1]")
    with pytest.raises(Unsound):
        residual(body({"type": "a"}), 2, with_cursor=True)


def test_ids() -> None:
    """Asked for beside what is decided by reading."""
    query = {"and": [{"ids": {"values": ["1", "2"]}}, {"equals": {"type": "a"}}]}
    assert [measure.id for measure in found(query, {"type": "a"}, {"type": "a"}, {"type": "b"})] == ["1"]


@pytest.mark.parametrize(("source", "rests"), [({"type": "a"}, 4), ({"type": "a", "asset": "no object"}, 5)])
def test_a_slow_filter_rests(source: JSON, rests: int) -> None:
    """Every few rows, also where documents are odd: others have their turn."""
    cpu = Counting()
    residual = Residual(parse({"equals": {"type": "a"}}), cpu)
    rows = 4 * BATCH_ROWS
    assert len(residual(body(*[source] * rows), rows, with_cursor=False).measures) == rows
    assert cpu.rests == rests


def test_large_rows_and_large_filters_rest_often() -> None:
    """By bytes of documents, and row by row where there are many clauses."""
    large = {"type": "a", "values": {"text": "x" * (BATCH_BYTES // 2)}}
    for query, source in (
        ({"equals": {"type": "a"}}, large),
        ({"or": [{"equals": {"type": str(number)}} for number in range(MANY_CLAUSES + 1)]}, {"type": "b"}),
    ):
        cpu = Counting()
        Residual(parse(query), cpu)(body(*[source] * 20), 20, with_cursor=False)
        assert cpu.rests >= 20


class Counting(CpuShare):
    """Counts how often it might have been interrupted."""

    def __init__(self) -> None:
        super().__init__(PrioritySemaphore(1), stays)
        self.rests = 0

    def rest(self) -> bool:
        self.rests += 1
        return super().rest()


def test_without_a_filter_on_asset_and_origin() -> None:
    """They are what they are for every row."""
    (measure,) = found({"exists": "type"}, {"type": "t", "asset": {"_id": "a"}, "origin": {"_id": "d"}})
    source = Source(None, "t", None, Asset("a"), Origin("d"))
    assert (measure.source.asset, measure.source.origin) == (source.asset, source.origin)
