"""How an index is asked for what documents hold at a path, by its mapping."""

from typing import Any

import pytest

from services.stores.elasticsearch.query.exact_fields import Absent, Exact, ExactFields, Unseen

JSON = dict[str, Any]

KEYWORD = {"type": "keyword"}


def text(definition: JSON, settings: JSON | None = None, **root: Any) -> Any:
    return ExactFields({"properties": {"a": {"properties": {"b": definition}}}, **root}, settings or {}).text("a.b")


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (KEYWORD, Exact("a.b", "keyword")),
        ({**KEYWORD, "ignore_above": 5}, Exact("a.b", "keyword", 5)),
        ({**KEYWORD, "doc_values": False}, Exact("a.b", "keyword", None, collected=False)),
        ({**KEYWORD, "index": False}, Exact("a.b", "keyword")),
        ({"type": "text", "fields": {"raw": KEYWORD}}, Exact("a.b.raw", "keyword")),
        ({"type": "long", "fields": {"raw": KEYWORD}}, Exact("a.b.raw", "keyword")),
        ({"type": "text", "fields": {"x": {"type": "text"}, "y": {**KEYWORD, "ignore_above": 9}}},
         Exact("a.b.y", "keyword", 9)),
        ({"type": "text", "fields": {"x": {**KEYWORD, "ignore_above": 9}, "y": KEYWORD}}, Exact("a.b.y", "keyword")),
        ({"type": "text", "fields": {"x": {**KEYWORD, "ignore_above": 9}, "y": {**KEYWORD, "ignore_above": "99"}}},
         Exact("a.b.y", "keyword", 99)),
        ({**KEYWORD, "ignore_above": 3, "fields": {"all": KEYWORD}}, Exact("a.b.all", "keyword")),
    ],
)  # fmt: skip
def test_by_a_keyword(definition: JSON, expected: Exact) -> None:
    """Itself, or the sub-field that finds the longest texts."""
    assert text(definition) == expected


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "text"}, {"type": "long"}, {"type": "boolean"}, {"type": "wildcard"}, {"type": "alias", "path": "c"},
        {"properties": {"c": KEYWORD}}, {**KEYWORD, "normalizer": "n"}, {**KEYWORD, "null_value": ""},
        {**KEYWORD, "script": {}}, {**KEYWORD, "index": False, "doc_values": False},
        {"type": "text", "fields": {"raw": {**KEYWORD, "normalizer": "n"}}},
    ],
)  # fmt: skip
def test_by_nothing(definition: JSON) -> None:
    """What finds others too, or not all."""
    found = text(definition)
    assert isinstance(found, Unseen)
    assert found.mapped


@pytest.mark.parametrize(
    ("mapping", "settings", "expected"),
    [
        ({}, {}, Absent()),
        ({"dynamic": "true"}, {}, Absent()),
        ({"dynamic": "strict"}, {}, Absent()),
        ({"dynamic": "runtime"}, {}, Absent()),
        ({"dynamic": "false", "properties": {"a": {"dynamic": "true"}}}, {}, Absent()),
        ({"dynamic": "false"}, {}, "dynamic: false"),
        ({"dynamic": False}, {}, "dynamic: false"),
        ({"properties": {"a": {"dynamic": "false"}}}, {}, "dynamic: false"),
        ({"enabled": False}, {}, "enabled: false"),
        ({"properties": {"a": {"type": "object", "enabled": False}}}, {}, "enabled: false"),
        ({"properties": {"a": {"type": "nested", "properties": {"b": KEYWORD}}}}, {}, "which is nested"),
        ({"properties": {"a": {"type": "geo_point"}}}, {}, "which is geo_point"),
        ({"properties": {"a": {"type": "flattened"}}}, {}, Exact("a.b", "flattened")),
        ({"properties": {"a": {"type": "flattened", "ignore_above": 9}}}, {}, "which is flattened"),
        ({"properties": {"a": {"type": "flattened"}}}, {"ignore_above": "9"}, "which is flattened"),
        ({"properties": {"a.b": KEYWORD}, "subobjects": False}, {}, Exact("a.b", "keyword")),
        ({"properties": {"a.b": KEYWORD}}, {"ignore_above": "9"}, Exact("a.b", "keyword", 9)),
        ({}, {"total_fields": {"ignore_dynamic_beyond_limit": "true"}}, "ignore_dynamic_beyond_limit"),
        ({"runtime": {"a.b": KEYWORD}}, {"ignore_above": "9"}, Exact("a.b", "keyword")),
        ({"runtime": {"a.b": {**KEYWORD, "script": {"source": ""}}}}, {}, "computed by a script"),
        ({"runtime": {"a.b": {"type": "long"}}, "properties": {"a.b": KEYWORD}}, {}, "long"),
        ({"runtime": {"a.b.k": KEYWORD}, "properties": {"a.b": {"type": "text", "fields": {"k": KEYWORD}}}}, {},
         "text"),
        ({"properties": {"a.b": KEYWORD, "c": {**KEYWORD, "copy_to": ["a.b"]}}}, {}, "copy_to"),
    ],
)  # fmt: skip
def test_what_surrounds_it(mapping: JSON, settings: JSON, expected: Any) -> None:
    """What is not mapped is nowhere, unless it is ignored; what is around a field decides as well."""
    found = ExactFields(mapping, settings).text("a.b")
    assert expected in found.reason if isinstance(found, Unseen) else found == expected


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"type": "date"}, Exact("at", "date")),
        ({"type": "date_nanos"}, Exact("at", "date_nanos")),
        ({"type": "long"}, Exact("at", "long")),
        ({"type": "date", "format": "strict_date_optional_time||epoch_millis"}, Exact("at", "date")),
        ({"type": "date", "index": False}, Exact("at", "date")),
        ({"type": "date", "ignore_malformed": True}, Exact("at", "date")),
        ({"type": "integer"}, "integer, which does not order"),
        ({"type": "double"}, "double, which does not order"),
        ({"type": "text"}, "text, which is analysed"),
        ({"type": "alias", "path": "x"}, "alias, which does not order"),
        ({"type": "date", "doc_values": False}, "date without doc_values"),
        ({"type": "date", "null_value": "1970-01-01"}, "date with a null_value"),
        ({"type": "date", "format": "epoch_second"}, "date in seconds"),
    ],
)
def test_instants(definition: JSON, expected: Any) -> None:
    """What orders, and counts milliseconds."""
    found = ExactFields({"properties": {"at": definition}}, {}).instant("at")
    assert expected in found.reason if isinstance(found, Unseen) else found == expected


def test_types() -> None:
    """Of fields and of their sub-fields."""
    asked = ExactFields({"properties": {"a": {"properties": {"b": {"type": "text", "fields": {"k": KEYWORD}}}}}}, {})
    assert [asked.type(path) for path in ("a", "a.b", "a.b.k", "a.b.x", "c", "")] == [
        "object", "text", "keyword", None, Absent(), Absent(),
    ]  # fmt: skip
