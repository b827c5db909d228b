"""Limits, read out of what Elasticsearch says when it refuses; and halves, where it says nothing that helps."""

from collections.abc import Callable

import pytest

from services.stores.elasticsearch.transport import limits
from services.stores.elasticsearch.transport.client import Refused

KEEP_ALIVE = (
    "Keep alive for request (5m) is too large. It must be less than ({}). This limit can be set by changing the "
    "[search.max_keep_alive] cluster level setting."
)
BUCKETS = (
    "Trying to create too many buckets. Must be less than or equal to: [{}] but was [1000]. This limit can be set by "
    "changing the [search.max_buckets] cluster level setting."
)
ROWS = (
    "Result window is too large, from + size must be less than or equal to: [{}] but was [10000]. See the scroll api "
    "for a more efficient way to request large data sets. This limit can be set by changing the "
    "[index.max_result_window] index level setting."
)


def refused(reason: str, type: str = "illegal_argument_exception") -> Refused:
    return Refused(400, type, reason)


@pytest.mark.parametrize(
    ("told", "asked", "found"),
    [
        ("1m", 300_000, 60_000),
        ("1.5m", 300_000, 90_000),
        ("30s", 300_000, 30_000),
        ("1100ms", 300_000, 1100),
        ("2h", 300_000, 150_000),  # told wrong: half
        ("5m", 300_000, 150_000),
        ("1.1m", 66_000, 33_000),  # rounded up, and refused again
        ("some time", 300_000, 150_000),
        ("10ms", 300_000, 1000),
    ],
)
def test_keep_alives(told: str, asked: int, found: int) -> None:
    assert limits.keep_alive_ms(refused(KEEP_ALIVE.format(told)), asked) == found


@pytest.mark.parametrize(
    ("told", "asked", "found"), [("100", 2000, 100), ("0", 1000, 1), ("?", 1000, 500), ("9", 9, 4)]
)
def test_buckets_and_rows(told: str, asked: int, found: int) -> None:
    assert limits.buckets(refused(BUCKETS.format(told), "too_many_buckets_exception"), asked) == found
    assert limits.rows(refused(ROWS.format(told)), asked) == found


@pytest.mark.parametrize(
    ("read", "words", "least"),
    [
        (limits.keep_alive_ms, KEEP_ALIVE, limits.LEAST_KEEP_ALIVE_MS),
        (limits.buckets, BUCKETS, 1),
        (limits.rows, ROWS, 1),
    ],
)
def test_other_refusals_stay(read: Callable[[Refused, int], int], words: str, least: int) -> None:
    """Also of who has nothing left to ask for less of."""
    errors = [refused("unknown query [x]"), refused("closed", "index_closed_exception")]
    for error in errors:
        with pytest.raises(Refused) as raised:
            read(error, 5000)
        assert raised.value is error
    with pytest.raises(Refused):
        read(refused(words.format("1"), "too_many_buckets_exception"), least)


@pytest.mark.parametrize("asked", [300_000, 2000, 10_000, 7])
def test_it_ends(asked: int) -> None:
    """However often it is refused."""
    error, tries = refused(KEEP_ALIVE.format("5m") + BUCKETS.format("x"), "too_many_buckets_exception"), 0
    while asked > limits.LEAST_KEEP_ALIVE_MS:
        asked, tries = limits.keep_alive_ms(error, asked), tries + 1
    while asked > 1:
        asked, tries = limits.buckets(error, asked), tries + 1
    assert tries < 25
