"""The formats against each other: whatever the documents and the options are, each file holds the same."""

import csv as stdlib_csv
import gzip
import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.columns import columns
from services.errors import InvalidArgument
from services.filters.python import evaluator
from services.formats import Maker
from services.formats.csv.cells import Cells
from services.formats.layout import Layout, layout
from services.instants import instant, iso
from services.measures import ExportRequest, Measure, Model, Slot, Source, Target
from services.options import Options
from services.stores import lenient
from tests.services.formats.csv.test_csv import MAPPINGS, documents, measure, models, occurring

AT = 1_718_000_000_000


def laid_out(page: list[dict[str, Any]], model: Model, options: Options) -> Layout:
    return layout(columns("assets", model, occurring(page, "assets"), MAPPINGS), options)


def written(page: list[dict[str, Any]], options: Options, model: Model | None = None, *, guard: bool = False) -> bytes:
    """The whole file of these documents."""
    model = model or Model("M", (Slot("in", "temperature"), Slot("move", "acceleration")))
    request = ExportRequest(export_id="x1", target=Target("e", "assets", "a"), options=options, formula_guard=guard)
    format = Maker(clock=lambda: AT / 1000).writer(request, laid_out(page, model, options), units=lambda types: {})
    measures = [lenient.measure(each["_id"], each["_source"]) for each in page]
    for each, document in zip(measures, page, strict=True):
        each.document = json.dumps(document["_source"], ensure_ascii=False).encode()
    return format.begin() + format.page(measures, lambda: None) + format.end()


def csv_rows(text: bytes, options: Options) -> list[list[str]]:
    return list(stdlib_csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), delimiter=options.separator))


def json_rows(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


PLAIN = Cells(Options(), ["a", "b"], formula_guard=False)


def as_cell(value: Any) -> str:
    """A value of JSON lines, as CSV writes it."""
    return "" if value is None else unquoted(PLAIN.cell(value, ""))


def unquoted(cell: str) -> str:
    return next(iter(stdlib_csv.reader(io.StringIO(cell, newline=""))), [""])[0] if cell else ""


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(documents, max_size=5), models, st.booleans())
def test_csv_and_json_lines_hold_the_same(page: list[dict[str, Any]], model: Model, local: bool) -> None:
    """Cell by cell; a key is left out where a cell is empty."""
    options = Options(timezone="Europe/Paris", date_format="local" if local else "iso")
    header, *rows = csv_rows(written(page, options, model), options)
    lines = json_rows(
        written(page, Options(format="jsonl", timezone="Europe/Paris", date_format=options.date_format), model)
    )
    assert [[as_cell(line.get(name)) for name in header] for line in lines] == rows
    assert all(set(line) <= set(header) for line in lines)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(documents, max_size=5), models)
def test_csv_and_sheets_hold_the_same(page: list[dict[str, Any]], model: Model) -> None:
    """Numbers as doubles, dates to the millisecond, text as it was."""
    header, *rows = csv_rows(written(page, Options(), model), Options())
    sheet = openpyxl.load_workbook(io.BytesIO(written(page, Options(format="xlsx"), model))).active
    assert sheet is not None
    found = [[cell_text(cell) for cell in row] for row in sheet.iter_rows()]
    expected = [header, *rows]
    assert len(found) == len(expected)
    for own, other in zip(found, expected, strict=True):
        assert list(map(near, own)) == list(map(near, other))


def cell_text(cell: Any) -> str:
    """A cell of openpyxl, as CSV writes it."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso(round(value.replace(tzinfo=UTC).timestamp() * 1000))
    if isinstance(value, int | float):
        return as_cell(value)
    return unescaped(str(value))


def unescaped(text: str) -> str:
    """What `_xHHHH_` stands for, which openpyxl leaves as it is."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)


def near(cell: str) -> Any:
    """A number as the double that it is; line ends as XML has them."""
    if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", cell):
        return float(cell)
    return cell


@pytest.mark.parametrize("format", ["csv", "jsonl", "documents"])
def test_gzip_is_the_file_itself(format: Any) -> None:
    """An ordinary one, without a time or a name."""
    page = [measure({"temperature": number}) for number in range(100)]
    packed = written(page, Options(format=format, compress="gzip"))
    assert gzip.decompress(packed) == written(page, Options(format=format))
    assert packed[:10] == b"\x1f\x8b\x08" + bytes(5) + packed[8:10]


def test_documents_are_as_they_are_stored() -> None:
    """Key for key and digit for digit; line breaks between tokens are taken out."""
    source = '{\n  "values": {"temperature": 2.50, "a\\n": "\\u00e9"},\r\n  "type": "temperature"\n}'
    options = Options(format="documents")
    request = ExportRequest(export_id="x1", target=Target("e", "assets", "a"), options=options)
    format = Maker().writer(request, laid_out([], Model("M", ()), options), units=lambda types: {})
    for stored in (source, source.encode()):
        found = format.page([Measure('m"1', Source(), stored)], lambda: None)
        assert found.decode() == (
            '{"_id":"m\\"1","_source":{  "values": {"temperature": 2.50, "a\\n": "\\u00e9"},  "type": "temperature"}}\n'
        )


CHOSEN = ("move.note", "Measured At", "asset.model", "Measure Id", "values", "origin.payload.x", "asset", "type", "_id")


def chosen_page() -> list[dict[str, Any]]:
    return [
        {
            **measure({"temperature": 20.5}, origin={"_id": "D", "payload": {"x": [1, 2.0]}}),
            "_id": "m1",
        },
        {**measure({"note": "a;b"}, "move", "acceleration", origin={"payload.x": "dotted"}), "_id": "m2"},
        {**measure(None, None, None), "_id": "m3"},
    ]


def test_chosen_columns_in_csv() -> None:
    """In their order: cells, and what paths lead to in a document."""
    options = Options(fields=CHOSEN, separator=";", empty="-")
    header, *rows = csv_rows(written(chosen_page(), options), options)
    asset = '{"_id":"A","model":"M","measureName":%s}'
    assert header == list(CHOSEN)
    assert rows == [
        ["-", str(AT), "M", "m1", '{"temperature":20.5}', "[1,2]", asset % '"in"', "temperature", "m1"],
        ["a;b", str(AT), "M", "m2", '{"note":"a;b"}', "dotted", asset % '"move"', "acceleration", "m2"],
        ["-", str(AT), "M", "m3", "-", "-", asset % "null", "-", "m3"],
    ]


def test_chosen_columns_in_json_lines() -> None:
    """Typed; under their own names."""
    lines = json_rows(
        written(chosen_page(), Options(format="jsonl", fields=CHOSEN, fields_name=(("asset.model", "Model"),)))
    )
    assert [list(line) for line in lines] == [
        ["Measured At", "Model", "Measure Id", "values", "origin.payload.x", "asset", "type", "_id"],
        ["move.note", "Measured At", "Model", "Measure Id", "values", "origin.payload.x", "asset", "type", "_id"],
        ["Measured At", "Model", "Measure Id", "asset", "_id"],
    ]
    assert (lines[0]["origin.payload.x"], lines[0]["values"], lines[1]["Model"]) == ([1, 2], {"temperature": 20.5}, "M")


def test_chosen_columns_of_documents_of_any_shape() -> None:
    """Where msgspec's typed reading gives up, each document is read on its own."""
    page = [
        {**measure({"temperature": 1}), "_id": "m1"},
        {"_id": "m2", "_source": {"measuredAt": AT, "asset": None, "origin": 5}},
        {"_id": "m3", "_source": {"measuredAt": AT, "origin": [{"a": 1}, {"a": "b"}]}},
    ]
    rows = csv_rows(written(page, options := Options(fields=("origin.a", "asset.model", "_id"))), options)
    assert rows[1:] == [["", "M", "m1"], ["", "", "m2"], ["", "", "m3"]]


@pytest.mark.parametrize(
    ("source", "path", "found"),
    [
        ({"asset": {"metadata": {"a": {"b": 1}}}}, "asset.metadata.a.b", 1),
        ({"asset": {"metadata": {"a.b": 1}}}, "asset.metadata.a.b", 1),
        ({"asset": {"metadata.a": {"b": 1}}}, "asset.metadata.a.b", 1),
        ({"asset.metadata": {"a.b": 1}}, "asset.metadata.a.b", 1),
        ({"asset.metadata.a.b": 1}, "asset.metadata.a.b", 1),
        ({"asset": {"model": 1}, "asset.model": 2}, "asset.model", 2),
        ({"asset.model": 2, "asset": {"model": 1}}, "asset.model", 1),
        ({"asset": [{"model": 1}]}, "asset.model", None),
        ({"asset": {"tags": ["a"]}}, "asset.tags", ["a"]),
        ({"asset": {"model": None}}, "asset.model", None),
        ({"asset": {"model": False}}, "asset.model", False),
        ({"asset": 5}, "asset", 5),
        ({}, "asset", None),
        ({"values": {"x": {"y": 1.5}}}, "values.x", {"y": 1.5}),
        ({"_kuzzle_info": {"author": "bob"}}, "_kuzzle_info.author", "bob"),
    ],
)
@pytest.mark.parametrize("beside", [(), ("asset",), ("asset.model", "asset.metadata", "values")])
def test_a_path_finds_what_filters_find(source: Any, path: str, found: Any, beside: tuple[str, ...]) -> None:
    """Alone, and beside paths that make other parts of a document be decoded."""
    fields = tuple(dict.fromkeys([path, *beside]))
    page = [{"_id": "m1", "_source": source}]
    (line,) = json_rows(written(page, Options(format="jsonl", fields=fields)))
    assert line.get(path) == found
    assert evaluator.lookup(path)(source) in ((evaluator.MISSING, None) if found is None else (found,))


@pytest.mark.parametrize("path", ['values."', "values.\\", "values.a\tb"])
def test_paths_that_msgspec_has_no_names_for(path: str) -> None:
    """Whole documents are read then."""
    key = path.removeprefix("values.")
    page = [measure({key: 5}, "s", "unheard")]
    assert csv_rows(written(page, options := Options(fields=(path,))), options)[1] == ["5"]


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        (Options(header=False), f"m,{AT},2024-06-10T06:13:20.000Z,temperature,,,A,M,20,,,\n"),
        (Options(bom=True, header=False), f"\ufeffm,{AT},2024-06-10T06:13:20.000Z,temperature,,,A,M,20,,,\n"),
        (Options(newline="crlf"), f"m,{AT},2024-06-10T06:13:20.000Z,temperature,,,A,M,20,,,\r\n"),
        (Options(empty="NA"), f"m,{AT},2024-06-10T06:13:20.000Z,temperature,NA,NA,A,M,20,NA,NA,NA\n"),
        (
            Options(separator=":"),
            f'm:{AT}:"2024-06-10T06:13:20.000Z":temperature:::A:M:20:::\n',
        ),
        (
            Options(separator=" ", date_format="local", timezone="Asia/Kathmandu"),
            f'm {AT} "2024-06-10 11:58:20.000" temperature   A M 20   \n',
        ),
        (
            Options(separator=";", decimal=",", date_format="local", timezone="Europe/Paris"),
            f"m;{AT};2024-06-10 08:13:20,000;temperature;;;A;M;20;;;\n",
        ),
        (
            Options(timezone="America/New_York"),
            f"m,{AT},2024-06-10T02:13:20.000-04:00,temperature,,,A,M,20,,,\n",
        ),
    ],
)
def test_a_row_with_options(options: Options, ending: str) -> None:
    """A table of rows."""
    text = written([measure({"temperature": 20})], options).decode()
    assert text.endswith(ending)
    assert (text == ending) is not options.header


@pytest.mark.parametrize("stored", [None, ""])
def test_a_row_of_nothing_is_a_line(stored: Any) -> None:
    """Readers pass over empty lines: a file of one column would lose rows."""
    page = [measure({"temperature": stored})] * 2
    text = written(page, options := Options(fields=("in.temperature",)))
    assert text == b'in.temperature\n""\n""\n'
    assert csv_rows(text, options)[1:] == [[""]] * 2


def test_a_file_without_rows() -> None:
    """Is whole: its header, or nothing."""
    header = b"Measure Id,Measured At"
    assert written([], Options()).startswith(header)
    assert written([], Options(header=False)) == written([], Options(format="jsonl")) == b""
    assert openpyxl.load_workbook(io.BytesIO(written([], Options(format="xlsx")))).sheetnames == ["Measures"]
    assert zipfile.ZipFile(io.BytesIO(written([], Options(format="zip")))).read("asset-a.csv").startswith(header)


def offsets() -> Iterator[tuple[str, int]]:
    """Each half hour of the days around a change."""
    for name, days in {
        "Europe/Paris": ("2024-03-31", "2024-10-27"),
        "America/New_York": ("2024-03-10", "2024-11-03"),
        "Australia/Lord_Howe": ("2024-04-07", "2024-10-06"),
        "Asia/Kathmandu": ("2024-01-01",),
    }.items():
        for day in days:
            start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=1)
            for half_hour in range(96):
                yield name, int((start + timedelta(minutes=30 * half_hour)).timestamp() * 1000)


def test_dates_of_the_nights_of_change() -> None:
    """As `zoneinfo` has them: in CSV with and without offset, and as the dates of a sheet."""
    nights: dict[str, list[int]] = {}
    for name, ms in offsets():
        nights.setdefault(name, []).append(ms)
    for name, instants in nights.items():
        page = [measure({}, measuredAt=ms) for ms in instants]
        shown = [datetime.fromtimestamp(ms / 1000, ZoneInfo(name)) for ms in instants]
        one = ("Measured At ISO",)
        with_offset = csv_rows(written(page, Options(timezone=name, fields=one)), Options())[1:]
        local = csv_rows(written(page, Options(timezone=name, fields=one, date_format="local")), Options())[1:]
        sheet = openpyxl.load_workbook(io.BytesIO(written(page, Options(format="xlsx", timezone=name, fields=one))))
        assert [row[0] for row in with_offset] == [each.isoformat(timespec="milliseconds") for each in shown]
        assert [row[0] for row in local] == [
            each.replace(tzinfo=None).isoformat(" ", timespec="milliseconds") for each in shown
        ]
        found = [row[0] for row in sheet["Measures"].iter_rows(min_row=2, values_only=True)]
        assert found == [each.replace(tzinfo=None) for each in shown]


TOO_LONG: list[tuple[str, Callable[[], Any]]] = [
    ("a text", lambda: "é" * 32_768),
    ("a pair each", lambda: "🙂" * 16_384),
    ("JSON", lambda: {"a": "x" * 32_768}),
]


@pytest.mark.parametrize(("_", "value"), TOO_LONG)
def test_a_cell_that_no_sheet_holds(_: str, value: Callable[[], Any]) -> None:
    """Is never cut: the format is refused."""
    with pytest.raises(InvalidArgument, match="32,767") as caught:
        written([measure({"a": value()}, "s", "unheard")], Options(format="xlsx", fields=("values.a",)))
    assert caught.value.argument == "format"


def test_instants_and_numbers_beyond() -> None:
    """What is no number to JSON or a sheet is text; dates that sheets do not know, too."""
    page = [
        measure({"temperature": math.inf}),
        measure({"temperature": 2**53 + 1}),
        measure({"temperature": 2**53}, measuredAt="1890-01-01"),
        measure({"temperature": True}, measuredAt=253_402_300_800_000),
        measure({"temperature": 1}, measuredAt="soon"),
    ]
    chosen = ("in.temperature", "Measured At ISO")
    page[0]["_source"]["values"]["temperature"] = 1
    lines = written(page, Options(format="jsonl", fields=chosen)).decode().splitlines()
    assert lines[1:3] == [
        '{"in.temperature":9007199254740993,"Measured At ISO":"2024-06-10T06:13:20.000Z"}',
        '{"in.temperature":9007199254740992,"Measured At ISO":"1890-01-01T00:00:00.000Z"}',
    ]
    sheet = openpyxl.load_workbook(io.BytesIO(written(page, Options(format="xlsx", fields=chosen))))["Measures"]
    assert list(sheet.iter_rows(min_row=3, values_only=True)) == [
        ("9007199254740993", datetime.fromisoformat("2024-06-10T06:13:20")),
        (9007199254740992, "1890-01-01T00:00:00.000Z"),
        (True, "+010000-01-01T00:00:00.000Z"),
        (1, None),
    ]


def test_instant_is_read_as_the_store_does() -> None:
    """The table above relies on it."""
    assert instant("1890-01-01") == -2_524_521_600_000
