"""The layout of a file: which columns it has, in which order, under which headers."""

from typing import Any

import pytest

from services.columns import FIXED, columns
from services.errors import InvalidArgument
from services.formats.layout import distinct, is_early, layout
from services.measures import Model, Slot
from services.options import Options

MAPPINGS: dict[str, Any] = {"t": {"x": {"type": "float"}, "y": {"type": "float"}}}
TABLE = columns("assets", Model("M", (Slot("in", "t"), Slot("out", "t"))), [], MAPPINGS)


def test_without_options() -> None:
    """The fixed columns, and those of the slots."""
    found = layout(TABLE, Options())
    assert (found.headers, found.chosen) == ((*FIXED, "in.x", "in.y", "out.x", "out.y"), None)


def test_fields() -> None:
    """In their order: headers of the export first, else paths."""
    found = layout(TABLE, Options(fields=("out.y", "asset.model", "Measure Id", "values", "_id")))
    assert found.headers == ("out.y", "asset.model", "Measure Id", "values", "_id")
    assert found.chosen == (11, "asset.model", 0, "values", "_id")
    assert found.paths == ("asset.model", "values", "_id")


def test_fields_under_their_own_names() -> None:
    """By the name in `fields`, or by the header where all columns are in the file."""
    chosen = layout(TABLE, Options(fields=("out.y", "asset.model"), fields_name=(("asset.model", "Model"),)))
    assert chosen.headers == ("out.y", "Model")
    every = layout(TABLE, Options(fields_name=(("Measured At", "time"), ("in.x", "Inside"))))
    assert every.headers == ("Measure Id", "time", *FIXED[2:], "Inside", "in.y", "out.x", "out.y")


@pytest.mark.parametrize(
    ("options", "argument", "told"),
    [
        ({"fields": ("in.z",)}, "fields", "in.x"),
        ({"fields": ("Measured",)}, "fields", "Measured At"),
        ({"fields": ("nothing like it",)}, "fields", "There are Measure Id, Measured At, in.x"),
        ({"fields": ("payload.x",)}, "fields", "values."),
        ({"fields_name": (("in.z", "a"),)}, "fieldsName", '"in.z"'),
        ({"fields": ("in.x",), "fields_name": (("in.y", "a"),)}, "fieldsName", '"in.y"'),
        ({"fields_name": (("in.x", "in.y"),)}, "fieldsName", "twice"),
        ({"fields_name": (("in.x", "a"), ("in.y", "a"))}, "fieldsName", "twice"),
    ],
)
def test_names_that_are_no_columns(options: dict[str, Any], argument: str, told: str) -> None:
    """Are refused, with those that are near."""
    with pytest.raises(InvalidArgument) as caught:
        layout(TABLE, Options(**options))
    assert caught.value.argument == argument
    assert told in caught.value.message


def test_two_columns_may_swap_names() -> None:
    """In the end none stands twice."""
    found = layout(TABLE, Options(fields=("in.x", "in.y"), fields_name=(("in.x", "in.y"), ("in.y", "in.x"))))
    assert found.headers == ("in.y", "in.x")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a"], ["a", "a (2)"]),
        (["a", "a", "a"], ["a", "a (2)", "a (3)"]),
        (["a", "a (2)", "a"], ["a", "a (2)", "a (3)"]),
        (["a", "a", "a (2)"], ["a", "a (3)", "a (2)"]),
        (["a (2)", "a", "a", "a"], ["a (2)", "a", "a (3)", "a (4)"]),
        ([], []),
    ],
)
def test_no_header_stands_twice(headers: list[str], found: list[str]) -> None:
    """A later one gets the next number that is free."""
    assert list(distinct(headers)) == found


def test_columns_of_the_same_header() -> None:
    """A slot that is called like a fixed column, and paths that read alike; `fields` names them so."""
    model = Model("M", (Slot("Measure Id", "u"), Slot("a", "b"), Slot("a.b", "c")))
    mappings: dict[str, Any] = {
        "b": {"b": {"properties": {"c": {"type": "float"}}}}, "c": {"c": {"type": "float"}},
    }  # fmt: skip
    table = columns("assets", model, [], mappings)
    assert layout(table, Options()).headers[8:] == ("Measure Id (2)", "a.b.c", "a.b.c (2)")
    assert layout(table, Options(fields=("a.b.c (2)", "Measure Id (2)"))).chosen == (10, 8)


@pytest.mark.parametrize(
    ("options", "early"),
    [
        ({}, True),
        ({"fields": ("Measured At", "asset.model")}, True),
        ({"fields": ("in.x",)}, False),
        ({"fields_name": (("Measured At", "t"),)}, True),
        ({"fields_name": (("in.x", "t"),)}, False),
    ],
)
def test_what_can_be_told_early(options: dict[str, Any], early: bool) -> None:
    """Names of columns that every export has, and paths."""
    assert is_early(Options(**options)) is early
