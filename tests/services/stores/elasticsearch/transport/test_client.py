"""What an answer of 400 and above means: another try, or no."""

import json
from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError

from services.stores.elasticsearch.transport.client import NOT_ALLOWED, QUOTED, SEARCHING, Refused, timed, told, why
from services.stores.elasticsearch.transport.retries import Late, Temporary

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


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_was_late(status: int) -> None:
    """Somebody waited in vain: to ask again costs as much again."""
    assert isinstance(told(error(status, json.dumps({"error": QUERY}).encode())), Late) == (status == 504)


def test_a_refusal_is_nobodys_fault_until_it_is_shown() -> None:
    """A 503 of the service, whatever Elasticsearch's status was."""
    for status in (302, 400, 401, 403, 404, 413, 500):
        found = Refused(status, **QUERY)
        assert found.status == 503
        assert found.message.startswith("Elasticsearch ")


@pytest.mark.parametrize(
    ("status", "type", "expected"),
    [
        (400, "parsing_exception", True),
        (400, "error", False),
        (400, "index_closed_exception", False),
        (400, "too_many_buckets_exception", False),
        (403, "security_exception", False),
        (404, "index_not_found_exception", False),
        (500, "null_pointer_exception", False),
    ],
)
def test_what_a_caller_may_have_asked_for(status: int, type: str, expected: bool) -> None:
    """Only what Elasticsearch itself calls a bad request, and not for its own state."""
    assert Refused(status, type, "x").may_be_asked_for == expected


@pytest.mark.parametrize("status", sorted(NOT_ALLOWED))
def test_rights_of_the_service_are_for_the_log(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Who it is and what it lacks is nobody else's business. A block of an index has the same status, and is none."""
    body = {"error": {"type": "security_exception", "reason": "user [exporter] lacks [read] with roles [secret]"}}
    found = told(error(status, json.dumps(body).encode()))
    assert isinstance(found, Refused)
    assert f"does not let the service read ({status})" in found.message
    assert "exporter" not in found.message
    assert "user [exporter] lacks [read] with roles [secret]" in caplog.text
    blocked = Refused(status, "cluster_block_exception", "index [m] blocked by: [FORBIDDEN/7/index read (api)];")
    assert "blocked by" in blocked.message


def test_too_many_buckets_is_a_limit_whatever_its_status() -> None:
    """503 before version 8: to ask again would not help."""
    body = {"error": {"type": "too_many_buckets_exception", "reason": "Must be less than or equal to: [100]"}}
    for status in (400, 503):
        assert isinstance(told(error(status, json.dumps(body).encode())), Refused)


@pytest.mark.parametrize("seconds", [0.5, 1, 30])
def test_a_search_ends_before_nobody_waits(seconds: float) -> None:
    """In whole milliseconds, as Elasticsearch takes them."""
    assert timed({"size": 0}, seconds) == {"size": 0, "timeout": f"{int(seconds * SEARCHING * 1000)}ms"}


def test_deep_errors() -> None:
    """No depth of JSON is an error of ours."""
    assert why(b'{"error":' * 100_000)[0] == "error"
