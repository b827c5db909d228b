"""The options of a file: what callers write of them, what they mean together, and that a link keeps them."""

from typing import Any

import pytest

from schemas import exports as schema
from services.errors import BadRequest, InvalidArgument
from services.options import PRESETS, USUAL, Options

PATH = {"engineId": "e", "_id": "a"}


def read(arguments: dict[str, Any] | None = None, body: Any = None) -> Options:
    """The options that a caller asks for, having gone through a link."""
    request = schema.of_call(
        PATH | (arguments or {}), body, kind="assets", lang="koncorde", export_id="x1", asked_by="-1", guard=True
    )
    assert schema.of_token(schema.to_token(request)) == request
    return request.options


def refused(arguments: dict[str, Any]) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(arguments)
    return caught.value


def test_no_options_are_the_usual_ones() -> None:
    """And a link does not mention them: one made before there were any reads the same."""
    assert (read(), read({"preset": "", "timezone": "", "fileName": ""})) == (USUAL, USUAL)
    assert USUAL.given() == {}


@pytest.mark.parametrize(
    ("name", "given", "attribute", "meant"),
    [
        *[("format", each, "format", each) for each in ("csv", "jsonl", "documents", "xlsx", "zip")],
        ("compress", "gzip", "compress", "gzip"),
        *[("separator", each, "separator", each) for each in ",;|: \t"],
        ("separator", "tab", "separator", "\t"),
        ("decimal", ".", "decimal", "."),
        *[("bom", each, "bom", True) for each in (True, "true", "1", "", "TRUE")],
        *[("bom", each, "bom", False) for each in (False, "false", "0")],
        ("header", "false", "header", False),
        ("newline", "crlf", "newline", "crlf"),
        *[("empty", each, "empty", each) for each in ("NA", "null", r"\N", "", "é" * 16, ";")],
        *[("timezone", each, "timezone", each) for each in ("Europe/Paris", "UTC", "Etc/GMT+5", "Asia/Kathmandu")],
        ("dateFormat", "local", "date_format", "local"),
        ("fields", ["Measured At", "asset.model"], "fields", ("Measured At", "asset.model")),
        ("fields", "Measured At, asset.model", "fields", ("Measured At", "asset.model")),
        ("fieldsName", {"Measured At": "time"}, "fields_name", (("Measured At", "time"),)),
        ("fileName", "été 2024", "file_name", "été 2024"),
    ],
)
def test_each_argument(name: str, given: Any, attribute: str, meant: Any) -> None:
    """At the root or in the body, it means the same, and a link keeps it."""
    assert getattr(read({name: given}), attribute) == getattr(read({}, {name: given}), attribute) == meant


@pytest.mark.parametrize(
    ("arguments", "named", "told"),
    [
        ({"format": "pdf"}, "format", '"pdf"'),
        ({"format": ""}, "format", "csv, jsonl, documents, xlsx, zip"),
        ({"compress": "zstd"}, "compress", "none, gzip"),
        ({"separator": "\n"}, "separator", "tab"),
        ({"separator": ";;"}, "separator", '";;"'),
        ({"separator": 1}, "separator", "tab; not 1"),
        ({"format": 5}, "format", "zip; not 5"),
        ({"format": ["csv"]}, "format", '["csv"]'),
        ({"preset": None}, "preset", "excel-eu; not null"),
        ({"decimal": ";"}, "decimal", '";"'),
        ({"bom": "yes"}, "bom", '"yes"'),
        ({"bom": 1}, "bom", "true or false"),
        ({"header": None}, "header", "null"),
        ({"newline": "\n"}, "newline", "lf, crlf"),
        ({"empty": "x" * 17}, "empty", "16 characters"),
        ({"empty": "a\tb"}, "empty", "control"),
        ({"timezone": "europe/paris"}, "timezone", "Europe/Paris"),
        ({"timezone": "+02:00"}, "timezone", "IANA"),
        ({"timezone": "../UTC"}, "timezone", "IANA"),
        ({"dateFormat": "us"}, "dateFormat", "iso, local"),
        ({"fields": []}, "fields", "1 to 500"),
        ({"fields": ""}, "fields", "1 to 500"),
        ({"fields": ["a"] * 2}, "fields", "2 times"),
        ({"fields": [str(number) for number in range(501)]}, "fields", "501"),
        ({"fields": [1]}, "fields[0]", "must be a text"),
        ({"fields": {"a": "b"}}, "fields", "list of names"),
        ({"fieldsName": ["a"]}, "fieldsName", "object"),
        ({"fieldsName": {"a": 1}}, "fieldsName.a", "must be a text"),
        ({"fileName": 5}, "fileName", "must be a text"),
        ({"preset": "exel"}, "preset", "excel, excel-eu"),
    ],
)
def test_wrong_values(arguments: dict[str, Any], named: str, told: str) -> None:
    """The argument, what was given, and what would be right."""
    error = refused(arguments)
    assert isinstance(error, InvalidArgument)
    assert error.argument == named
    assert told in error.message


@pytest.mark.parametrize(
    ("format", "arguments"),
    [
        ("jsonl", {"separator": ";"}),
        ("jsonl", {"bom": True}),
        ("jsonl", {"header": False}),
        ("jsonl", {"empty": "NA"}),
        ("jsonl", {"decimal": ","}),
        ("documents", {"fields": ["_id"]}),
        ("documents", {"fieldsName": {"Measure Id": "id"}}),
        ("documents", {"dateFormat": "local"}),
        ("xlsx", {"separator": ";"}),
        ("xlsx", {"newline": "crlf"}),
        ("xlsx", {"dateFormat": "local"}),
        ("xlsx", {"compress": "gzip"}),
        ("zip", {"compress": "gzip"}),
    ],
)
def test_of_no_use_to_a_format(format: str, arguments: dict[str, Any]) -> None:
    """Is refused, and who would have a use for it is said; its default is nobody's mistake."""
    (name,) = arguments
    error = refused({"format": format, **arguments})
    assert f'"{name}": is of no use to format "{format}"' in error.message
    if name not in ("fields", "fieldsName"):
        assert read({"format": format, name: USUAL_VALUES[name]}).format == format


USUAL_VALUES = {
    "separator": ",", "bom": False, "header": True, "empty": "", "decimal": ".", "dateFormat": "iso", "newline": "lf",
    "compress": "none",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ({"preset": "excel"}, {"bom": True, "dateFormat": "local", "newline": "crlf"}),
        (
            {"preset": "excel-eu"},
            {"bom": True, "dateFormat": "local", "newline": "crlf", "separator": ";", "decimal": ","},
        ),
        ({"preset": "excel", "bom": "false"}, {"dateFormat": "local", "newline": "crlf"}),
        (
            {"preset": "excel-eu", "separator": "tab", "dateFormat": "iso"},
            {"bom": True, "newline": "crlf", "separator": "\t", "decimal": ","},
        ),
        ({"preset": "excel-eu", "format": "jsonl"}, {"format": "jsonl", "dateFormat": "local"}),
        ({"preset": "excel-eu", "format": "xlsx"}, {"format": "xlsx"}),
        ({"preset": "excel-eu", "format": "documents"}, {"format": "documents"}),
        (
            {"preset": "excel", "format": "zip"},
            {"format": "zip", "bom": True, "dateFormat": "local", "newline": "crlf"},
        ),
    ],
)
def test_presets(arguments: dict[str, Any], meant: dict[str, Any]) -> None:
    """What is given beside one wins; what the format has no use for is not meant."""
    assert read(arguments).given() == meant


@pytest.mark.parametrize(
    "arguments",
    [
        {"decimal": ","},
        {"separator": ",", "decimal": ","},
        {"preset": "excel-eu", "separator": ","},
    ],
)
def test_separator_and_decimal_mark_differ(arguments: dict[str, Any]) -> None:
    """Also by default, or beside a preset; both are named."""
    message = refused(arguments).message
    assert "separator" in message
    assert "decimal" in message


def test_presets_are_what_callers_could_have_written() -> None:
    """Value for value."""
    for name, values in PRESETS.items():
        assert read({"preset": name}) == read(dict(values))


@pytest.mark.parametrize(
    ("zone", "start", "end", "first", "last"),
    [
        ("UTC", "2024-06-10", "2024-06-10", 1717977600000, 1718063999999),
        ("Europe/Paris", "2024-06-10", "2024-06-10", 1717970400000, 1718056799999),
        ("Europe/Paris", "2024-06-10T00:00Z", "2024-06-10T23:59+00:00", 1717977600000, 1718063940000),
        ("Europe/Paris", "2024-03-31T02:30", "2024-10-27T02:30", 1711848600000, 1729992600000),
        ("Europe/Paris", "2024-10-27T02:30", "2024-10-27T02:30", 1729989000000, 1729992600000),
        ("Asia/Kathmandu", "2024", "2024", 1704046500000, 1735668899999),
        ("Australia/Lord_Howe", "2024-04-07T01:45", "2024-04-07T01:45", 1712414700000, 1712416500000),
    ],
)
def test_dates_of_a_zone(zone: str, start: str, end: str, first: int, last: int) -> None:
    """Without an offset they are of the zone: skipped times, and those that occur twice, too."""
    arguments = PATH | {"timezone": zone, "startAt": start, "endAt": end}
    request = schema.of_call(arguments, None, kind="assets", lang="koncorde", export_id="x", asked_by="-1", guard=True)
    assert (request.start_ms, request.end_ms) == (first, last)
    assert schema.of_token(schema.to_token(request)) == request
