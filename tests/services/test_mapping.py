"""A mapping asked for a path: how it is searched, if at all."""

from typing import Any

import pytest

from services.mapping import Fields

MAPPING: dict[str, Any] = {
    "dynamic": "strict",
    "runtime": {"hidden": {"type": "keyword"}, "note.raw": {"type": "long"}},
    "properties": {
        "type": {"type": "keyword"},
        "hidden": {"type": "keyword"},
        "a.b": {"type": "long"},
        "origin": {"properties": {"_id": {"type": "keyword", "ignore_above": 5}}},
        "values": {
            "dynamic": "true",
            "properties": {
                "temperature": {"type": "float", "ignore_malformed": False},
                "position": {"type": "geo_point"},
                "text": {"type": "text", "fields": {"length": {"type": "token_count"}, "raw": {"type": "keyword"}}},
                "words": {"type": "text"},
                "unsearched": {"type": "text", "fields": {"raw": {"type": "keyword", "index": False}}},
                "stored": {"type": "keyword", "index": False},
                "computed": {"type": "long", "script": {"source": "1"}},
                "groups": {"type": "nested", "properties": {"id": {"type": "keyword"}}},
                "flat": {"type": "flattened"},
                "off": {"enabled": False, "properties": {"x": {"type": "long"}}},
                "any*thing": {"type": "keyword"},
                "copied": {"type": "keyword", "copy_to": "everything"},
                "copied twice": {"type": "keyword", "copy_to": ["everything", "type copy"]},
            },
        },
        "note": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
        "everything": {"type": "keyword"},
        "type copy": {"type": "keyword"},
    },
}
FIELDS = Fields(MAPPING)


@pytest.mark.parametrize(
    ("path", "name", "type"),
    [
        ("type", "type", "keyword"),
        ("a.b", "a.b", "long"),
        ("origin._id", "origin._id", "keyword"),
        ("values.temperature", "values.temperature", "float"),
        ("values.position", "values.position", "geo_point"),
        ("values.position.lat", "values.position", "geo_point"),
        ("values.text", "values.text.raw", "keyword"),
        ("everything", "everything", "keyword"),
    ],
)
def test_searched(path: str, name: str, type: str) -> None:
    """By itself, by its keyword sub-field, or by the geopoint around it."""
    field = FIELDS.find(path)
    assert field is not None
    assert (field.path, field.name, field.type) == (path, name, type)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nowhere",
        "a",
        "type.x",
        "origin",
        "origin._id.x",
        "values",
        "values.text.raw",
        "values.words",
        "values.unsearched",
        "values.stored",
        "values.computed",
        "values.groups",
        "values.groups.id",
        "values.flat.x",
        "values.off",
        "values.off.x",
        "values.any*thing",
        "hidden",
        "note",
    ],
)
def test_not_searched(path: str) -> None:
    """Not mapped, or in a way of its own, or hidden by a runtime field."""
    assert FIELDS.find(path) is None


def test_an_index_that_maps_nothing() -> None:
    """Or that looks into nothing."""
    assert Fields({}).find("type") is None
    assert Fields({**MAPPING, "enabled": False}).find("type") is None


def test_what_the_index_sets_for_all() -> None:
    """A default, that a field may have otherwise."""
    fields = Fields(MAPPING, {"ignore_malformed": "true", "ignore_above": "3", "coerce": "false"})
    for path, definition in (
        ("type", {"type": "keyword", "ignore_malformed": "true", "ignore_above": "3"}),
        ("origin._id", {"type": "keyword", "ignore_malformed": "true", "ignore_above": 5}),
        ("values.temperature", {"type": "float", "ignore_malformed": False, "ignore_above": "3"}),
    ):
        field = fields.find(path)
        assert field is not None
        assert field.definition == definition


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("type", True),
        ("values.temperature", False),
        ("a.b", False),
        ("values.position", False),
        ("everything", False),
        ("type copy", False),
    ],
)
def test_whose_values_are_its_own(path: str, own: bool) -> None:
    """Not what objects in arrays lead to, nor what other fields are copied to."""
    field = FIELDS.find(path)
    assert field is not None
    assert FIELDS.own(field) is own


def test_a_geopoint_may_be_two_numbers() -> None:
    """`position.lat` is then nowhere in the document."""
    fields = Fields({"properties": {"place": {"type": "geo_point"}}})
    field = fields.find("place")
    assert field is not None
    assert not fields.own(field)


@pytest.mark.parametrize(
    ("mapping", "flat"),
    [
        ({"properties": {"f": {"type": "float"}}}, False),
        ({"subobjects": True, "properties": {"f": {"type": "float"}}}, False),
        ({"subobjects": False, "properties": {"f": {"type": "float"}}}, True),
        ({"properties": {"f": {"type": "float"}, "o": {"properties": {"p": {"subobjects": "false"}}}}}, True),
    ],
)
def test_where_objects_are_but_names(mapping: dict[str, Any], flat: bool) -> None:
    """An object may be where a number is mapped: `f.lat` is a field of its own then."""
    field = Fields(mapping).find("f")
    assert field is not None
    assert field.flat is flat


@pytest.mark.parametrize(
    ("mapping", "is_date"),
    [
        ({"properties": {"a": {"properties": {"b": {"type": "date"}}}}}, True),
        ({"properties": {"a.b": {"type": "date_nanos"}}}, True),
        ({"runtime": {"a.b": {"type": "date"}}}, True),
        ({"runtime": {"a.b": {"type": "long"}}, "properties": {"a.b": {"type": "date"}}}, False),
        ({"properties": {"a.b": {"type": "long"}}}, False),
        ({"properties": {"a": {"type": "date"}}}, False),
        ({}, False),
    ],
)
def test_dates(mapping: dict[str, Any], is_date: bool) -> None:
    """Where bounds of a range have to be dates."""
    assert Fields(mapping).is_date("a.b") is is_date
