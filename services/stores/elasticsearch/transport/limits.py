"""Limits of a cluster that an export can live with, read from the words of a refusal (Elasticsearch 8.19)."""

import re

from services.stores.elasticsearch.transport.client import TOO_MANY_BUCKETS, Refused

#: `Keep alive for request (5m) is too large. It must be less than (1m). ...` (it may be as much).
_KEEP_ALIVE = re.compile(r"must be less than \((\d+(?:\.\d+)?)(ms|s|m|h|d)\)")
_BOUND = re.compile(r"must be less than or equal to: \[(\d+)\]", re.IGNORECASE)

UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

#: Rows that one search answers at most where an index does not say otherwise (`index.max_result_window`).
MOST_ROWS = 10_000

#: Milliseconds: a view that is kept for less could not be read.
LEAST_KEEP_ALIVE_MS = 1000


def keep_alive_ms(error: Refused, asked_ms: int) -> int:
    """Return how long a point in time may be kept, when `asked_ms` was refused as too long. Raises any other error."""
    if "search.max_keep_alive" not in error.reason or asked_ms <= LEAST_KEEP_ALIVE_MS:
        raise error
    told = _KEEP_ALIVE.search(error.reason)
    most = int(float(told[1]) * UNIT_MS[told[2]]) if told else asked_ms
    return max(LEAST_KEEP_ALIVE_MS, fewer(most, asked_ms))


def buckets(error: Refused, asked: int) -> int:
    """Return how many buckets one answer may have, when `asked` were refused as too many. Raises any other error."""
    if error.type != TOO_MANY_BUCKETS or asked <= 1:
        raise error
    return bound(error, asked)


def rows(error: Refused, asked: int) -> int:
    """Return how many rows one search may answer, when `asked` were refused as too many. Raises any other error."""
    if "index.max_result_window" not in error.reason or asked <= 1:
        raise error
    return bound(error, asked)


def bound(error: Refused, asked: int) -> int:
    told = _BOUND.search(error.reason)
    return max(1, fewer(int(told[1]) if told else asked, asked))


def fewer(most: int, asked: int) -> int:
    """Return the limit that was told; where it was told wrong, or not at all, half of what was refused."""
    return most if most < asked else asked // 2
