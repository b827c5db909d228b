"""The rows of a file, the hot path: a page of measures to a block of text, in the syntax of a format.

What makes it fast: - what rows have in common is worked out once (`plans`); - the numbers of a page
are printed by one call in C: they are collected beside the text before, between and after them,
and at the end both lists are laid into each other and joined; - one look at all ids of a page tells
that none of them needs quotes.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

from services.formats.layout import Layout
from services.formats.plans import AT, AT_ISO, FIRST_MS, LAST_MS, Groups, instant_of
from services.formats.syntax import Dates, Syntax
from services.measures import Asset, Measure, Origin
from services.scheduling.tick import Tick, no_tick

#: Characters that may gather between two numbers; each row copies them.
LINE = 4096

#: Bytes of separators in the rows that are encoded at once: a page of a model of 20,000 slots would have 80 MB.
SEPARATORS = 4 * 1024 * 1024

_NO_ASSET = Asset()
_NO_ORIGIN = Origin()


class Rows:
    """Writes measures as rows of a layout."""

    def __init__(self, layout: Layout, syntax: Syntax) -> None:
        self._syntax = syntax
        self._is_usual = layout.chosen is None
        self._by_asset = layout.columns.kind == "assets"
        self._groups = Groups(layout, syntax)
        self._separators = len(layout.headers) * max(1, len(syntax.missing))

    @property
    def at_once(self) -> int:
        """The rows that may be written at once, by their width."""
        return max(1, SEPARATORS // self._separators)

    def text(self, measures: Sequence[Measure], rest: Tick = no_tick) -> str:
        """Return the rows of these measures. `rest` is called now and then, after every row that is large."""
        syntax, groups, by_asset = self._syntax, self._groups, self._by_asset
        opened, closed, instants = self._opening()
        other = syntax.other
        groups.beside.read(measures)
        blocks: list[str] = []
        between: list[str] = []
        found: list[int | float] = []
        line = ""
        last_ms, last_dates = None, ""
        for id_, measure in zip(self._ids(measures), measures, strict=False):
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
                    last_dates = instants(ms) if FIRST_MS <= ms <= LAST_MS else self._dates(ms)
                dates = last_dates

            values = source.values
            before, steps = plans[tuple(values) if type(values) is dict else ()]
            line = f"{line}{opened}{id_}{closed}{dates}{cells}{before}"
            for key, sub, get, after, lead in steps:
                if get is None:
                    value = values[key]
                elif sub and type(holder := values[key]) is dict:
                    value = holder.get(sub)
                else:
                    value = get(measure)
                kind = type(value)
                if kind is float or kind is int:
                    between.append(line)
                    found.append(value)
                    line = after
                else:
                    line = other(line, value, lead, after)
            if len(line) > LINE:
                blocks.append(_woven(between, syntax.numbers(found), line))
                line, between, found = "", [], []
                rest()
        blocks.append(_woven(between, syntax.numbers(found), line))
        return syntax.finished("".join(blocks))

    def _opening(self) -> tuple[str, str, Dates]:
        """Return what stands before and after an id, and what writes the cells of an instant."""
        syntax = self._syntax
        return (syntax.id_open, syntax.id_close, syntax.instants) if self._is_usual else (syntax.open, "", nothing)

    def _ids(self, measures: Sequence[Measure]) -> Iterable[str]:
        return self._syntax.ids([measure.id for measure in measures]) if self._is_usual else repeat("")

    def _dates(self, stored: Any) -> str:
        """Return the cells of a `measuredAt` of any kind: as it is stored, and its instant if it can be read."""
        if not self._is_usual:
            return ""
        leads = self._syntax.leads
        return self._syntax.cell(stored, leads[AT]) + self._syntax.cell(instant_of(stored), leads[AT_ISO])


def nothing(ms: int) -> str:
    """Return no cells: where columns are chosen, those of the instant stand among them."""
    return ""


def _woven(between: list[str], numbers: Sequence[str], end: str) -> str:
    """Return text, number, text, number, ..., end as one text."""
    pieces = [end] * (2 * len(numbers) + 1)
    pieces[:-1:2] = between
    pieces[1::2] = numbers
    return "".join(pieces)
