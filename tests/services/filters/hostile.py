"""Filters that would cost much, made rather than stored: each must be refused early."""

from collections.abc import Callable, Mapping
from typing import Any

EXISTS = {"exists": "a"}


def nested(keyword: str, wrap: Callable[[Any], Any], levels: int) -> Any:
    query: Any = EXISTS
    for _ in range(levels):
        query = {keyword: wrap(query)}
    return query


def deep_not(levels: int) -> Any:
    return nested("not", lambda query: query, levels)


def deep_or(levels: int) -> Any:
    return nested("or", lambda query: [query], levels)


def deep_bool(levels: int) -> Any:
    return nested("bool", lambda query: {"must_not": [query], "should_not": [query]}, levels)


def deep_select(levels: int) -> Any:
    return nested("select", lambda query: {"field": "value", "index": 0, "query": query}, levels)


def deep_match(levels: int) -> Any:
    argument: Any = 1
    for _ in range(levels):
        argument = {"a": argument}
    return {"match": {"a": argument}}


def bushy(levels: int) -> Any:
    """Two branches a level, without being large in memory."""
    query: Any = EXISTS
    for _ in range(levels):
        query = {"or": [query, query]}
    return query


#: Queries, and how the path of the mistake begins.
HOSTILE: Mapping[str, tuple[Any, str]] = {
    "51 levels of not": (deep_not(50), "query" + ".not" * 50),
    "3,000 levels of not": (deep_not(3_000), "query" + ".not" * 50),
    "3,000 levels of or": (deep_or(3_000), "query" + ".or[0]" * 50),
    "40 levels of bool, two parts each": (deep_bool(40), "query.bool.must_not[0].bool.must_not[0]"),
    "3,000 levels of select": (deep_select(3_000), "query" + ".select.query" * 50),
    "3,000 levels within match": (deep_match(3_000), "query.match" + ".a" * 50),
    "2 to the 48 clauses": (bushy(48), "query" + ".or[0]" * 30),
    "70,000 clauses": ({"or": [EXISTS] * 70_000}, "query.or[999]"),
    "1,001 clauses": ({"and": [EXISTS] * 1_000}, "query.and[999]"),
    "1,001 clauses in several lists": ({"and": [{"or": [EXISTS] * 998}, EXISTS]}, "query.and[1]"),
    "10,001 values": ({"in": {"a": ["x"] * 10_001}}, "query.in.a"),
    "10,001 values in several lists": (
        {"or": [{"in": {"a": ["x"] * 5_000}}, {"ids": {"values": ["x"] * 5_001}}]},
        "query.or[1].ids.values",
    ),
    "10,001 points": ({"geoPolygon": {"a": {"points": [[0, 0]] * 10_001}}}, "query.geoPolygon.a.points"),
    "10,001 values to match": ({"match": {"a": [0] * 10_000}}, "query.match.a"),
    "a pattern of 1,001 characters": ({"regexp": {"a": "x" * 1_001}}, "query.regexp.a"),
    "a pattern that is large once compiled": ({"regexp": {"a": "\\pL{500}"}}, "query.regexp.a"),
    "many large patterns": ({"or": [{"regexp": {"a": f"{n}\\pL{{10}}"}} for n in range(20)]}, "query.or["),
    "a path of 51 names": ({"equals": {".".join(["a"] * 51): 1}}, "query.equals"),
    "a path of a million names": ({"exists": "." * 1_000_000}, "query.exists"),
    "half a million brackets": ({"exists": "a[" + "[" * 500_000 + "]"}, "query.exists"),
    "a long unknown keyword": ({"x" * 1_000_000: 1}, "query." + "x" * 100 + "…"),
}
