"""Cells of CSV: every rule of how a value is written."""

import re
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

from services.formats.csv.guard import begun, guard, splitting
from services.formats.javascript import json, numbers
from services.formats.syntax import Dates, Instant
from services.instants import iso
from services.options import Options

#: A text of nothing else needs neither quotes nor a guard, wherever these stand in it.
_HARMLESS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.: "

#: A cell that is empty, and seen.
NOTHING = '""'

_NEWLINES = {"lf": "\n", "crlf": "\r\n"}


class Cells:
    """Writes the cells of a file in CSV (`services.formats.syntax.Syntax`)."""

    open = close = id_open = id_close = ""

    def __init__(self, options: Options, headers: Sequence[str], *, formula_guard: bool, dates: Dates = iso) -> None:
        """`dates` writes instants. `formula_guard`: keep spreadsheets from running text."""
        self._separator = separator = options.separator
        self._decimal = options.decimal
        self._special = re.compile(rf'[{re.escape(separator)}"\n\r]')
        self._marks = re.compile(rf'[{re.escape(separator + splitting(separator))},"\n\r\x00]')
        self._harmless = _HARMLESS.replace(separator, "").encode()
        self._guarded: Callable[[str], str] = guard(separator) if formula_guard else str
        self._begun: Callable[[str], str] = begun if formula_guard else str
        self._dates = dates
        self._empty = self.quoted(options.empty)
        self._date_needs_quotes = separator in ": "
        self.leads: Sequence[str] = ["", *[separator] * (len(headers) - 1)]
        self.missing = f"{separator}{self._empty}"
        self.end = _NEWLINES[options.newline]
        self._writers: dict[type, Callable[[Any], str]] = {
            NoneType: lambda _: self._empty,
            str: self._text,
            bool: lambda value: "true" if value else "false",
            int: str,
            float: lambda value: self.numbers([value])[0],
            dict: lambda value: self.quoted(json(value)),
            list: lambda value: self.quoted(json(value)),
            Instant: lambda ms: self.quoted(dates(ms)),
        }
        if len(headers) == 1:  # readers pass over a line of nothing
            self._empty = self._empty or NOTHING
            self._writers[str] = lambda value: self._text(value) or NOTHING

    def cell(self, value: Any, lead: str) -> str:
        return lead + self._writers[type(value)](value)

    def other(self, line: str, value: Any, lead: str, after: str) -> str:
        return f"{line}{self._writers[type(value)](value)}{after}"

    def ids(self, ids: Sequence[str]) -> Sequence[str]:
        """Return texts as cells; one look at all tells that none needs anything."""
        if not "".join(ids).encode().translate(None, self._harmless):
            return ids
        return list(map(self._text, ids))

    def instants(self, ms: int) -> str:
        separator = self._separator
        date = self._dates(ms)
        return f"{separator}{ms}{separator}{self.quoted(date) if self._date_needs_quotes else date}"

    def numbers(self, values: Sequence[int | float]) -> list[str]:
        return numbers(values, decimal=self._decimal)

    def finished(self, rows: str) -> str:
        return rows

    def guarded(self, value: str) -> str:
        """Return a text as a reader of the file finds it, without its quotes."""
        return self._guarded(value) if self._marks.search(value) else self._begun(value)

    def quoted(self, value: str) -> str:
        """Return a text within quotes where a reader of CSV needs them."""
        return '"' + value.replace('"', '""') + '"' if self._special.search(value) else value

    def _text(self, value: str) -> str:
        return self.quoted(self._guarded(value)) if self._marks.search(value) else self._begun(value)
