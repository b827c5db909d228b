"""What an answer of 400 and above means: another try, or no."""

import json
from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError

from services.stores.elasticsearch.client import QUOTED, Refused, told, why
from services.stores.elasticsearch.retries import Temporary

NODE = NodeConfig("http", "127.0.0.1", 9200)
QUERY = {"type": "parsing_exception", "reason": "unknown query [x]"}


def error(status: int, body: Any) -> ApiError:
    return ApiError("error", ApiResponseMeta(status, "1.1", HttpHeaders(), 0.0, NODE), body)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_go_better_next_time(status: int) -> None:
    """With Elasticsearch's own words."""
    found = told(error(status, json.dumps({"error": QUERY}).encode()))
    assert isinstance(found, Temporary)
    assert str(found) == f"{status} parsing_exception: unknown query [x]"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 500, 501])
def test_what_will_not(status: int) -> None:
    """With status, type and reason for who tells the caller."""
    found = told(error(status, json.dumps({"error": QUERY, "status": status}).encode()))
    assert isinstance(found, Refused)
    assert (found.http_status, found.type, found.reason) == (status, QUERY["type"], QUERY["reason"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": QUERY}, ("parsing_exception", "unknown query [x]")),
        ({"error": {"root_cause": [QUERY], "type": "all_shards_failed", "reason": "all"}},
         ("parsing_exception", "unknown query [x]")),
        ({"error": {"root_cause": [], **QUERY}}, ("parsing_exception", "unknown query [x]")),
        ({"error": {"type": "a", "reason": "b", "caused_by": {"type": "c", "reason": "d", "caused_by": QUERY}}},
         ("parsing_exception", "unknown query [x]")),
        ({"error": {"type": "a", "reason": None}}, ("a", "None")),
    ],
)  # fmt: skip
def test_the_words_that_help(body: Any, expected: tuple[str, str]) -> None:
    """Of the innermost cause, on a shard."""
    assert why(json.dumps(body).encode()) == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "without a word"),
        (None, "without a word"),
        (b"<html>no upstream</html>", "<html>no upstream</html>"),
        (b'{"error": "no handler found"}', '{"error": "no handler found"}'),
        (b'{"error": {"root_cause": ["x"]}}', '{"error": {"root_cause": ["x"]}}'),
        (b'{"message": "no"}', '{"message": "no"}'),
        (b"[]", "[]"),
        (b"\xff" * 9, "\ufffd" * 9),
        (b"x" * 9999, "x" * QUOTED),
    ],
)
def test_words_of_somebody_else(body: bytes | None, reason: str) -> None:
    """As they are, and not too many."""
    assert why(body) == ("error", reason)
