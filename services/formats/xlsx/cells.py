"""Cells of a sheet: every rule of how a value is written there."""

import re
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

from services.errors import InvalidArgument
from services.formats.javascript import json, not_finite, numbers
from services.formats.syntax import Instant
from services.instants import DAY
from services.zones import Zone

#: UTF-16 units that a cell holds.
LONGEST = 32_767

#: Whole numbers up to here are the same in a double, which is what a cell holds.
MOST_WHOLE = 2**53

#: Local milliseconds between which a cell holds a date: from 1900-03-01 on, since sheets know a 29 February before it,
#: to before 10000-01-01.
FIRST_DATE, LAST_DATE = -2_203_891_200_000, 253_402_300_800_000

#: Days from 1899-12-30, where sheets begin to count, to 1970-01-01.
EPOCH_DAYS = 25_569

NUMBER, CLOSE, EMPTY = "<c><v>", "</v></c>", "<c/>"
TEXT, TEXT_CLOSE = '<c t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
DATE = '<c s="1"><v>'
BOLD = '<c s="2" t="inlineStr"><is><t xml:space="preserve">'

#: Before a number that a cell cannot hold, until it becomes a text. XML itself never holds it.
NO_NUMBER = "\0"

#: A text of nothing else is written as it is.
HARMLESS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:;,/ "

_MARKS = re.compile("[&<>_\x00-\x08\x0b-\x1f\ufffe\uffff\r]")
#: What XML 1.0 cannot hold, and what reads as the escape of such (ECMA-376 part 1, 22.9.2.19 ST_Xstring).
_UNSAYABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class Cells:
    """Writes the cells of a sheet (`services.formats.syntax.Syntax`)."""

    open, end, close, missing = "<row>", "</row>", CLOSE, EMPTY
    id_open, id_close = f"<row>{TEXT}", TEXT_CLOSE

    def __init__(self, headers: Sequence[str], *, zone: Zone) -> None:
        self._zone = zone
        self.leads: Sequence[str] = [NUMBER] * len(headers)
        self._writers: dict[type, Callable[[Any], str]] = {
            NoneType: lambda _: EMPTY,
            str: text,
            bool: lambda value: f'<c t="b"><v>{int(value)}</v></c>',
            int: self._number,
            float: self._number,
            dict: lambda value: text(json(value)),
            list: lambda value: text(json(value)),
            Instant: self._date,
        }

    def ids(self, ids: Sequence[str]) -> Sequence[str]:
        if not "".join(ids).encode().translate(None, HARMLESS + b"_") and "_x" not in "".join(ids):
            return ids
        return list(map(escaped, ids))

    def instants(self, ms: int) -> str:
        return f"<c><v>{ms}</v></c>{self._date(ms)}"

    def numbers(self, values: Sequence[int | float]) -> Sequence[str]:
        found = numbers(values, beyond=lambda value: f"{NO_NUMBER}{not_finite(value)}")
        if values and (max(values) > MOST_WHOLE or min(values) < -MOST_WHOLE):
            return [
                f"{NO_NUMBER}{text}" if type(value) is int and abs(value) > MOST_WHOLE else text
                for value, text in zip(values, found, strict=True)
            ]
        return found

    def cell(self, value: Any, lead: str) -> str:
        return self._writers[type(value)](value)

    def other(self, line: str, value: Any, lead: str, after: str) -> str:
        return f"{line[: -len(NUMBER)]}{self._writers[type(value)](value)}{after[len(CLOSE) :]}"

    def finished(self, rows: str) -> str:
        return rows.replace(f"{NUMBER}{NO_NUMBER}", '<c t="str"><v>') if NO_NUMBER in rows else rows

    def _number(self, value: float) -> str:
        return self.finished(f"{NUMBER}{self.numbers([value])[0]}{CLOSE}")

    def _date(self, ms: int) -> str:
        local = ms + self._zone.offset_ms_at(ms)
        if FIRST_DATE <= local < LAST_DATE:
            return f"{DATE}{local / DAY + EPOCH_DAYS!r}{CLOSE}"
        return text(self._zone.iso(ms))


def header(value: str) -> str:
    """Return a cell of the header row."""
    return f"{BOLD}{escaped(value)}{TEXT_CLOSE}"


def text(value: str) -> str:
    """Return a cell of a text; it is no formula, whatever it begins with."""
    return f"{TEXT}{escaped(value)}{TEXT_CLOSE}"


def escaped(value: str) -> str:
    """Return a text as XML. Raises `InvalidArgument` where a cell cannot hold it."""
    if len(value) > LONGEST // 2 and len(value.encode("utf-16-le")) // 2 > LONGEST:
        raise InvalidArgument(
            "format", f"a cell of XLSX holds {LONGEST:,} characters, and a value of this export has more: csv holds it."
        )
    if not _MARKS.search(value):
        return value
    value = _UNSAYABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
