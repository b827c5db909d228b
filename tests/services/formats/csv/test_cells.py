"""How a value is written, as tables."""

import csv
import json as stdlib_json
import math
import os
import random
import shutil
import struct
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.formats.csv.cells import Cells
from services.formats.csv.guard import guard as guard_of
from services.formats.javascript import as_javascript, numbers
from services.formats.syntax import Instant
from services.options import Options

AT = 1_718_000_000_000

GUARDED, PLAIN = (Cells(Options(), ["a", "b"], formula_guard=guard) for guard in (True, False))
guarded, quoted = guard_of(","), PLAIN.quoted


def cell(value: Any, *, guard: bool) -> str:
    return (GUARDED if guard else PLAIN).cell(value, "")


NUMBERS: list[tuple[float, str]] = [
    (0, "0"),
    (-0.0, "0"),
    (0.0, "0"),
    (20.0, "20"),
    (-20.0, "-20"),
    (21.5, "21.5"),
    (0.1, "0.1"),
    (-0.5, "-0.5"),
    (100.0, "100"),
    (1e15, "1000000000000000"),
    (1e16, "10000000000000000"),
    (123456789012345680000.0, "123456789012345680000"),
    (1e20, "100000000000000000000"),
    (1e21, "1e+21"),
    (1.5e21, "1.5e+21"),
    (-1.25e22, "-1.25e+22"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (1e-5, "0.00001"),
    (1e-6, "0.000001"),
    (1.5e-6, "0.0000015"),
    (-1e-7, "-1e-7"),
    (1.5e-7, "1.5e-7"),
    (5e-324, "5e-324"),
    (0.1 + 0.2, "0.30000000000000004"),
    (9007199254740993.0, "9007199254740992"),
    (9007199254740993, "9007199254740993"),
    (-9223372036854775809, "-9223372036854775809"),
    (18446744073709551616, "18446744073709551616"),
    (10**30, "1000000000000000000000000000000"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
]

CELLS: list[tuple[Any, str]] = [
    (None, ""),
    ("", ""),
    (True, "true"),
    (False, "false"),
    ("text", "text"),
    ("é 東京 🙂", "é 東京 🙂"),
    ("a,b", '"a,b"'),
    ('say "hi"', '"say ""hi"""'),
    ("two\nlines", '"two\nlines"'),
    ("a\rb", '"a\rb"'),
    (" kept ", " kept "),
    ("tab\tinside", "tab\tinside"),
    ("a;b'c", "a;b'c"),
    ({}, "{}"),
    ([], "[]"),
    ([1], "[1]"),
    ([1, 2.0], '"[1,2]"'),
    ({"lon": 180.0, "lat": -0.0}, '"{""lon"":180,""lat"":0}"'),
    ({"b": 1, "a": None, "2": True}, '"{""b"":1,""a"":null,""2"":true}"'),
    ([1e21, 1e-7, 1e16, 9007199254740993], '"[1e+21,1e-7,10000000000000000,9007199254740993]"'),
    (["1.0,", "2e5", '"3.0]', "\\", 4.0], '"[""1.0,"",""2e5"",""\\""3.0]"",""\\\\"",4]"'),
    ({"1.0}": {"2e-9": 1e-9}}, '"{""1.0}"":{""2e-9"":1e-9}}"'),
    ({"é": "東\n\u2028\x7f"}, '"{""é"":""東\\n\u2028\x7f""}"'),
    ([math.inf, 1.0], '"[null,1]"'),
    ([[[]]], "[[[]]]"),
]

#: What a spreadsheet would run, and what only looks like it.
FORMULAS = [
    "=1+1",
    "=",
    "@SUM(A1)",
    "\t1",
    "\r=1",
    "-2+3+cmd|' /C calc'!A0",
    "+1+1",
    "--(1)",
    "-1;2",
    "+é",
    "-a\nb",
    "-\t",
]
HARMLESS = [
    "+1", "-1", "-x_Y", "-", "+", "-1.5", "- 5 ,:", "+33 6 12", "-Rb3yY4BpXCqIBjwmdd",
    "1=1", "a@b", " =1", "'=1", "\n=1",
    "x;-5;y", "x;+1;y", "x;-x_Y", "x;-", "x|-1.5|y", "x\t-5", "x;1=1", "x; =1", "x;'=1", "x;\n=1", "x,=1+1,y",
    'x;"-5";y', 'x;a"=1', "a:=1", ";", "|;\t", "x;-Rb3yY4BpXCqIBjwmdd;y",
]  # fmt: skip

#: What a spreadsheet with other settings would run, where it splits; and what becomes of it.
SPLIT = [
    ("x;=1+1;y", "x;'=1+1;y"),
    ("x|=1+1|y", "x|'=1+1|y"),
    ("x\t=1+1\ty", "x\t'=1+1\ty"),
    ("x;=1", "x;'=1"),
    (";=1", ";'=1"),
    ("x;@SUM(A1)", "x;'@SUM(A1)"),
    ("x;\r=1", "x;'\r=1"),
    ("x;-2+3;y", "x;'-2+3;y"),
    ("x;+1+1|-5|=1", "x;'+1+1|-5|'=1"),
    ("x;;=1", "x;;'=1"),
    ("x;\t=1", "x;\t'=1"),
    ("x;-5\n=1;y", "x;'-5\n=1;y"),
    ("x;-5;y(", "x;-5;y("),
    ("x;-5,6: 7_a;y", "x;-5,6: 7_a;y"),
    ("x;-é", "x;'-é"),
    ("x;-'", "x;'-'"),
    ("=1;=2", "'=1;'=2"),
    ("-1;-2", "'-1;-2"),
    ("\t=1", "'\t'=1"),
    ('x;"=1+1;y', "x;'\"=1+1;y"),
    ('x;""=1+1"";y', 'x;\'""=1+1"";y'),
    ('x;"-1+1";y', 'x;\'"-1+1";y'),
    ('x;-5";y', "x;'-5\";y"),
]

#: LibreOffice drops a NUL; Python's csv of old refuses a file that holds one.
NULS = [
    ("\0=1+1", "\ufffd=1+1"),
    ("\0", "\ufffd"),
    ("a\0b", "a\ufffdb"),
    ("=\0", "'=\ufffd"),
    ("-\0" + "1", "'-\ufffd1"),
    ("x;\0=1", "x;\ufffd=1"),
    ("x;-1\0;y", "x;'-1\ufffd;y"),
]


@pytest.mark.parametrize(("value", "written"), NUMBERS)
def test_numbers(value: float, written: str) -> None:
    """As JavaScript prints them; integers keep all their digits."""
    assert (numbers([value]), cell(value, guard=True)) == ([written], written)


def test_numbers_of_a_page_at_once() -> None:
    """Each keeps its place."""
    assert numbers([value for value, _ in NUMBERS]) == [written for _, written in NUMBERS]


@pytest.mark.parametrize(
    ("digits", "written"),
    [
        ("1.25e1", "12.5"),
        ("-125e0", "-125"),
        ("125e-2", "1.25"),
        ("-0", "0"),
        ("1e-6", "0.000001"),
        ("12e-8", "1.2e-7"),
    ],
)
def test_any_notation_becomes_javascript_s(digits: str, written: str) -> None:
    """Whatever the C encoder of another release prefers."""
    assert as_javascript(digits) == written


def test_what_is_no_number() -> None:
    """JSON has none, Python's reader takes `NaN` all the same."""
    assert (cell(math.nan, guard=True), cell([math.nan], guard=True)) == ("NaN", "[null]")


def test_no_numbers_at_all() -> None:
    """A page of text."""
    assert numbers([]) == []


@pytest.mark.parametrize(("value", "written"), CELLS)
def test_cells(value: Any, written: str) -> None:
    """Quoted only where needed; JSON compact with JavaScript's numbers."""
    assert cell(value, guard=True) == written


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    """By a leading apostrophe, before quoting."""
    assert (guarded(text), cell(text, guard=True)) == (f"'{text}", quoted(f"'{text}"))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_it_would_not_run_stays(text: str) -> None:
    """Signed numbers, and ids of Elasticsearch that begin with `-`."""
    assert (guarded(text), cell(text, guard=True)) == (text, quoted(text))


@pytest.mark.parametrize(("text", "written"), SPLIT + NULS)
def test_what_it_would_run_if_it_split_elsewhere_is_guarded(text: str, written: str) -> None:
    """At each place where a reader with another separator begins a cell, quotes or not."""
    assert (guarded(text), cell(text, guard=True)) == (written, quoted(written))


@given(st.text(alphabet='x1=@+-;|\t",\0 é('))
def test_no_reader_finds_a_formula(text: str) -> None:
    """Whichever character it splits at."""
    row = f"id,{cell(text, guard=True)},end\n"
    assert "\0" not in row
    for separator in ";\t|":
        cells = [each for line in csv.reader([row], delimiter=separator) for each in line]
        assert [each for each in cells[1:] if each.startswith(("=", "@"))] == []


@pytest.mark.parametrize("text", ["{;=1", "a;=1"])
def test_json_is_left_as_it_is(text: str) -> None:
    """It begins with a bracket, and the text in it is not its own cell."""
    assert cell([text], guard=True) == f'"[""{text}""]"'


@pytest.mark.parametrize("text", [*FORMULAS, *(text for text, _ in SPLIT + NULS)])
def test_the_guard_can_be_left_out(text: str) -> None:
    """Then text is only quoted."""
    assert cell(text, guard=False) == quoted(text)


def test_numbers_are_never_guarded() -> None:
    """Nor is anything else that is no text."""
    assert [cell(value, guard=True) for value in (-1, -1e21, -math.inf)] == ["-1", "-1e+21", "-Infinity"]


def cells_of(**options: Any) -> Cells:
    return Cells(Options(**options), ["a", "b"], formula_guard=True)


@pytest.mark.parametrize(
    ("options", "value", "written"),
    [
        ({"separator": ";"}, "a;b", '"a;b"'),
        ({"separator": ";"}, "a,b", "a,b"),
        ({"separator": ";"}, [1, 2], "[1,2]"),
        ({"separator": "|"}, "a|b", '"a|b"'),
        ({"separator": "\t"}, "a\tb", '"a\tb"'),
        ({"separator": " "}, "a b", '"a b"'),
        ({"separator": ":"}, {"a": 1}, '"{""a"":1}"'),
        ({"separator": ":"}, Instant(AT), '"2024-06-10T06:13:20.000Z"'),
        ({"separator": ";"}, Instant(AT), "2024-06-10T06:13:20.000Z"),
        ({"separator": ";", "decimal": ","}, 21.5, "21,5"),
        ({"separator": ";", "decimal": ","}, -0.25, "-0,25"),
        ({"separator": ";", "decimal": ","}, 20.0, "20"),
        ({"separator": ";", "decimal": ","}, 1.5e21, "1,5e+21"),
        ({"separator": ";", "decimal": ","}, 1.5e-7, "1,5e-7"),
        ({"separator": ";", "decimal": ","}, 5e-324, "5e-324"),
        ({"separator": ";", "decimal": ","}, -0.0, "0"),
        ({"separator": ";", "decimal": ","}, math.inf, "Infinity"),
        ({"separator": ";", "decimal": ","}, [1.5], "[1.5]"),
        ({"separator": ";", "decimal": ","}, "1.5", "1.5"),
        ({"empty": "NA"}, None, "NA"),
        ({"empty": "NA"}, "", ""),
        ({"empty": "a,b"}, None, '"a,b"'),
        ({"empty": "=1"}, None, "=1"),
        ({"empty": r"\N"}, None, r"\N"),
    ],
)
def test_cells_with_options(options: dict[str, Any], value: Any, written: str) -> None:
    """Quoted where the separator asks for it; the decimal mark in numbers alone; missing is told from empty."""
    assert cells_of(**options).cell(value, "") == written


def test_numbers_of_a_page_with_a_decimal_comma() -> None:
    """Each is as JavaScript prints it, but for the mark."""
    values = [value for value, _ in NUMBERS]
    assert cells_of(separator=";", decimal=",").numbers(values) == [text.replace(".", ",") for _, text in NUMBERS]


@pytest.mark.parametrize("separator", list(",;|: \t"))
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x,=1+1;y", {",": "x,=1+1;y", "else": "x,'=1+1;y"}),
        ("x,-5;y", {",": "x,-5;y", "else": "x,-5;y"}),
        ("x,-5+1,y", {",": "x,-5+1,y", "else": "x,'-5+1,y"}),
        ("x;=1", {",": "x;'=1", "else": "x;'=1"}),
        ("x\t@a", {",": "x\t'@a", "else": "x\t'@a"}),
        ('x,"=1', {",": 'x,"=1', "else": "x,'\"=1"}),
    ],
)
def test_the_guard_with_another_separator(separator: str, text: str, written: dict[str, str]) -> None:
    """A comma splits, too, where it is not the separator of the file itself."""
    found = cells_of(separator=separator).cell(text, "")
    assert list(csv.reader([found], delimiter=separator)) == [[written.get(separator, written["else"])]]


@given(st.text(alphabet='x1=@+-;|\t",\0 é(:'), st.sampled_from(",;|: \t"))
def test_no_reader_of_any_separator_finds_a_formula(text: str, separator: str) -> None:
    """Whichever character it splits at, and whichever the file is written with."""
    row = f"id{separator}{cells_of(separator=separator).cell(text, '')}\n"
    for split in {";", "\t", "|", ",", separator} - ({","} if separator == "," else set()):
        found = [each for line in csv.reader([row], delimiter=split) for each in line]
        assert [each for each in found[1:] if each.startswith(("=", "@"))] == []


@pytest.mark.node
def test_numbers_are_those_of_node() -> None:
    """Thousands of doubles of every size, alone and within JSON, one Node process for all."""
    doubles = some_doubles()
    printed, within = node(doubles)
    assert numbers(doubles) == printed
    assert cell(doubles, guard=True) == quoted(within)


def some_doubles() -> list[float]:
    """Of any bits, of common sizes, around the places where the notation changes."""
    chance = random.Random(20240610)
    bits = (struct.unpack("<d", chance.randbytes(8))[0] for _ in range(6000))
    sizes = [chance.uniform(-1, 1) * 10 ** chance.randint(-12, 25) for _ in range(3000)]
    rounded = [round(chance.uniform(-1000, 1000), chance.randint(0, 8)) for _ in range(3000)]
    edges = [
        math.nextafter(sign * 10.0**power, way) for power in range(-8, 24) for sign in (1, -1) for way in EDGE_WAYS
    ]
    return [*(double for double in bits if math.isfinite(double)), *sizes, *rounded, *edges]


EDGE_WAYS = (0.0, math.inf, -math.inf)


def node(doubles: list[float]) -> tuple[list[str], str]:
    """Node's text of each, and its JSON of all."""
    program = shutil.which("node")
    if program is None and not os.environ.get("CI"):
        pytest.skip("Node.js is not installed")
    assert program is not None, "Node.js is not installed"
    script = (
        "const all = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify([all.map(String), JSON.stringify(all)]))"
    )
    done = subprocess.run(
        [program, "-e", script],
        input=stdlib_json.dumps(doubles),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    printed, within = stdlib_json.loads(done.stdout)
    return printed, within
