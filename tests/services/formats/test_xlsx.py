"""Sheets: each cell as a table, and what a workbook is made of."""

import io
import zipfile
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest

from services.columns import columns
from services.errors import InvalidArgument
from services.formats.layout import layout
from services.formats.syntax import Instant
from services.formats.xlsx import Xlsx, parts
from services.formats.xlsx.cells import Cells, escaped
from services.measures import Measure, Model, Slot, Source
from services.options import Options
from services.zones import zone

AT = 1_718_000_000_000
PARIS = zone("Europe/Paris")
TEXT = '<c t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "<c/>"),
        (0, "<c><v>0</v></c>"),
        (21.5, "<c><v>21.5</v></c>"),
        (-0.0, "<c><v>0</v></c>"),
        (1e21, "<c><v>1e+21</v></c>"),
        (2**53, "<c><v>9007199254740992</v></c>"),
        (2**53 + 1, '<c t="str"><v>9007199254740993</v></c>'),
        (-(2**63), '<c t="str"><v>-9223372036854775808</v></c>'),
        (float("inf"), '<c t="str"><v>Infinity</v></c>'),
        (float("nan"), '<c t="str"><v>NaN</v></c>'),
        (True, '<c t="b"><v>1</v></c>'),
        (False, '<c t="b"><v>0</v></c>'),
        ("", TEXT.format("")),
        (" a ", TEXT.format(" a ")),
        ("=1+1", TEXT.format("=1+1")),
        ('<a href="b">&', TEXT.format('&lt;a href="b"&gt;&amp;')),
        ("two\nlines\tand\r", TEXT.format("two\nlines\tand_x000D_")),
        ("\0\x01\x1f\ufffe\uffff", TEXT.format("_x0000__x0001__x001F__xFFFE__xFFFF_")),
        ("_x0041_", TEXT.format("_x005F_x0041_")),
        ("_x41_ _x", TEXT.format("_x41_ _x")),
        ("🙂", TEXT.format("🙂")),
        ({"a": [1.0]}, TEXT.format('{"a":[1]}')),
        ([], TEXT.format("[]")),
        (Instant(AT), '<c s="1"><v>45453.34259259259</v></c>'),
        (Instant(-2_203_891_200_000 - 3_600_000), TEXT.format("1900-02-28T23:09:21.000+00:09:21")),
        (Instant(253_402_300_800_000), TEXT.format("+010000-01-01T01:00:00.000+01:00")),
    ],
)
def test_cells(value: Any, written: str) -> None:
    """Text is text whatever it holds, and what a sheet cannot hold as a number or a date is text, too."""
    assert Cells(["a"], zone=PARIS).cell(value, "<c><v>") == written


@pytest.mark.parametrize("text", ["x" * 32_767, "🙂" * 16_383 + "x"])
def test_the_longest_text(text: str) -> None:
    """In UTF-16 units."""
    assert escaped(text) == text
    with pytest.raises(InvalidArgument, match="32,767"):
        escaped(f"{text}x")


def workbook(rows: int, options: Options, *, sheet_rows: int) -> bytes:
    """One whose sheets hold few rows, written in pages of three."""
    table = columns("assets", Model("M", (Slot("in", "t"),)), [], {"t": {"x": {"type": "float"}}})
    format = Xlsx(layout(table, options), options, zone=PARIS, sheet_rows=sheet_rows)
    measures = [Measure(f"m{row}", Source(measuredAt=AT + row, values={"x": row})) for row in range(rows)]
    text = format.begin()
    for start in range(0, rows, 3):
        text += format.page(measures[start : start + 3], lambda: None)
    return text + format.end()


@pytest.mark.parametrize(
    ("rows", "sheets"),
    [(0, [[]]), (4, [[0, 1, 2, 3]]), (5, [[0, 1, 2, 3], [4]]), (9, [[0, 1, 2, 3], [4, 5, 6, 7], [8]])],
)
def test_a_full_sheet_is_followed_by_another(rows: int, sheets: list[list[int]]) -> None:
    """With its own header, filters and frozen row."""
    options = Options(format="xlsx", fields=("Measure Id", "Measured At ISO"))
    book = openpyxl.load_workbook(io.BytesIO(workbook(rows, options, sheet_rows=5)))
    assert book.sheetnames == ["Measures", "Measures 2", "Measures 3"][: len(sheets)]
    for sheet, expected in zip(book.worksheets, sheets, strict=True):
        assert list(sheet.iter_rows(values_only=True)) == [
            ("Measure Id", "Measured At ISO"),
            *((f"m{row}", datetime.fromisoformat(f"2024-06-10T08:13:20.00{row}")) for row in expected),
        ]
        assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:B{len(expected) + 1}")


def test_without_a_header() -> None:
    """Nothing is frozen or filtered."""
    options = Options(format="xlsx", header=False, fields=("Measure Id",))
    book = openpyxl.load_workbook(io.BytesIO(workbook(6, options, sheet_rows=5)))
    assert [[row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets] == [
        ["m0", "m1", "m2", "m3", "m4"], ["m5"],
    ]  # fmt: skip
    assert (book["Measures"].freeze_panes, book["Measures"].auto_filter.ref) == (None, None)


def test_a_sheet_has_16384_columns() -> None:
    """More are refused before a byte is written, with what would be right."""
    table = columns("assets", Model("M", tuple(Slot(f"s{n}", "x") for n in range(16_377))), [], {})
    with pytest.raises(InvalidArgument, match="16,384 columns") as caught:
        Xlsx(layout(table, Options()), Options(format="xlsx"), zone=PARIS)
    assert caught.value.argument == "format"


def test_every_part_is_xml() -> None:
    """And is named by the content types and the relationships."""
    package = zipfile.ZipFile(io.BytesIO(workbook(6, Options(format="xlsx"), sheet_rows=5)))
    for name in package.namelist():
        ElementTree.fromstring(package.read(name))
    assert package.namelist() == [
        "[Content_Types].xml", "_rels/.rels", "xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml",
        "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "name"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA"), (16_384, "XFD")]
)
def test_names_of_columns(number: int, name: str) -> None:
    """As sheets count."""
    assert parts.column_name(number) == name
