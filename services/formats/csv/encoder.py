"""The encoder of CSV, the hot path: a page of measures to a block of rows.

What makes it fast: - what rows have in common is worked out once (`plans`); - the numbers of a page
are printed by one call in C: they are collected beside the text before, between and after   them,
and at the end both lists are laid into each other and joined; - one look at all ids of a page tells
that none of them needs quotes.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from services.columns import Columns
from services.formats.csv.cells import cell, numbers, text
from services.formats.csv.plans import Groups
from services.formats.csv.values import find
from services.instants import instant, iso
from services.measures import Asset, Measure, Origin
from services.scheduling.tick import Tick, no_tick

#: A text of nothing else needs neither quotes nor a guard, wherever these stand in it.
_HARMLESS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.: "

#: Between these, an integer is the instant it says; a smaller one may be a year.
FIRST_MS, LAST_MS = 10_000, 10**15

#: Characters that may gather between two numbers; each row copies them.
LINE = 4096

#: Bytes of separators in the rows that are encoded at once: a page of a model of 20,000 slots would have 80 MB.
SEPARATORS = 4 * 1024 * 1024

_NO_ASSET = Asset()
_NO_ORIGIN = Origin()


class Encoder:
    """Writes one export as CSV (`services.formats.port.Format`)."""

    media_type: ClassVar[str] = "text/csv; charset=utf-8; header=present"
    suffix: ClassVar[str] = ".csv"

    def __init__(self, columns: Columns, *, formula_guard: bool) -> None:
        self._headers = columns.headers
        self._by_asset = columns.kind == "assets"
        self._guard = formula_guard
        self._groups = Groups(columns, guard=formula_guard)

    @property
    def rows_at_once(self) -> int:
        return max(1, SEPARATORS // len(self._headers))

    def begin(self) -> bytes:
        return (",".join(self._cells(self._headers)) + "\n").encode()

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        """Return the rows of these measures. `rest` is called now and then, after every row that is large."""
        groups, by_asset, guard = self._groups, self._by_asset, self._guard
        blocks: list[str] = []
        between: list[str] = []
        found: list[int | float] = []
        line = ""
        last_ms, last_dates = None, ""
        ids = self._cells([measure.id for measure in measures])
        for id_, measure in zip(ids, measures, strict=True):
            source = measure.source
            origin, asset = source.origin or _NO_ORIGIN, source.asset or _NO_ASSET
            slot = asset.measureName if by_asset else origin.measureName
            cells, plans = groups[source.type, slot, origin.id, origin.deviceModel, asset.id, asset.model]

            ms = source.measuredAt
            if type(ms) is not int:
                dates = self._dates(ms)
            else:
                if ms != last_ms:
                    last_ms = ms
                    last_dates = f"{ms},{iso(ms)}" if FIRST_MS <= ms <= LAST_MS else self._dates(ms)
                dates = last_dates

            values = source.values
            before, steps = plans[tuple(values) if type(values) is dict else ()]
            line = f"{line}{id_},{dates},{cells}{before}"
            for key, sub, path, after in steps:
                if path is None:
                    value = values[key]
                elif sub and type(holder := values[key]) is dict:
                    value = holder.get(sub)
                else:
                    value = find(values, path)
                kind = type(value)
                if kind is float or kind is int:
                    between.append(line)
                    found.append(value)
                    line = after
                else:
                    line = f"{line}{cell(value, guard=guard)}{after}"
            if len(line) > LINE:
                blocks.append(_woven(between, numbers(found), line))
                line, between, found = "", [], []
                rest()
        blocks.append(_woven(between, numbers(found), line))
        return "".join(blocks).encode()

    def end(self) -> bytes:
        return b""

    def _cells(self, texts: Sequence[str]) -> Sequence[str]:
        """Return texts as cells; one look at all tells that none needs anything."""
        if not "".join(texts).encode().translate(None, _HARMLESS):
            return texts
        return [text(each, guard=self._guard) for each in texts]

    def _dates(self, stored: Any) -> str:
        """Return a `measuredAt` that is no integer as it is stored, and its instant if it can be read."""
        ms = instant(stored)
        return f"{cell(stored, guard=self._guard)},{'' if ms is None else iso(ms)}"


def _woven(between: list[str], numbers: list[str], end: str) -> str:
    """Return text, number, text, number, ..., end as one text."""
    pieces = [end] * (2 * len(numbers) + 1)
    pieces[:-1:2] = between
    pieces[1::2] = numbers
    return "".join(pieces)
