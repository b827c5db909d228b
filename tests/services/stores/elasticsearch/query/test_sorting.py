"""The order of an export as Elasticsearch is asked for it: ties by insertion, last and always ascending."""

import pytest

from services.errors import InvalidArgument
from services.measures import NEWEST_FIRST, SortKey
from services.stores.elasticsearch.query import sorting

TIES = [{"_seq_no": "asc"}, {"_shard_doc": "asc"}]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (NEWEST_FIRST, [{"measuredAt": {"order": "desc"}}]),
        ((SortKey("measuredAt"),), [{"measuredAt": {"order": "asc"}}]),
        ((SortKey("type"), SortKey("measuredAt", "desc")),
         [{"type": {"order": "asc"}}, {"measuredAt": {"order": "desc"}}]),
        ((SortKey("values.t", "desc", missing="_first", mode="max", unmapped_type="long"),),
         [{"values.t": {"order": "desc", "missing": "_first", "mode": "max", "unmapped_type": "long"}}]),
        ((SortKey("values.t", missing=0),), [{"values.t": {"order": "asc", "missing": 0}}]),
        ((SortKey("_kuzzle_info.createdAt"),), [{"_kuzzle_info.createdAt": {"order": "asc"}}]),
    ],
)  # fmt: skip
def test_the_whole_order(sort: tuple[SortKey, ...], expected: list[object]) -> None:
    """The caller's, and what makes it the same each time."""
    assert sorting.with_ties(sort) == [*expected, *TIES]


@pytest.mark.parametrize("field", ["_id", "_score", "_doc", "_shard_doc", "_seq_no", "_script", "_geo_distance", "_"])
def test_what_is_no_field_of_a_measure(field: str) -> None:
    """Named."""
    with pytest.raises(InvalidArgument, match=field) as raised:
        sorting.with_ties((SortKey("type"), SortKey(field)))
    assert raised.value.argument == "sort"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (NEWEST_FIRST, True),
        ((SortKey("measuredAt"), SortKey("type")), True),
        ((SortKey("type"), SortKey("measuredAt")), False),
        ((SortKey("values.measuredAt"),), False),
    ],
)
def test_whether_time_gives_the_order(sort: tuple[SortKey, ...], expected: bool) -> None:
    """Then windows do."""
    assert sorting.is_by_time(sort) is expected
