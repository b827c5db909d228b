"""JSON lines: one object a row, keys as the headers, values typed; a missing value has no key."""

from collections.abc import Sequence
from typing import Any

from services.formats.javascript import json, not_finite, numbers
from services.formats.layout import Layout
from services.formats.rows import Rows
from services.formats.syntax import Dates, Instant
from services.instants import iso
from services.measures import Measure
from services.scheduling.tick import Tick, no_tick

#: An id of nothing else needs no escape.
_HARMLESS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:;,/ "


class Objects:
    """Writes rows as objects (`services.formats.syntax.Syntax`): each value is followed by a comma, and the last comma
    of a row is taken away in the end.
    """

    open, end, close, missing = "{", "}\n", ",", ""
    id_close = '",'

    def __init__(self, headers: Sequence[str], *, dates: Dates = iso) -> None:
        self.leads = [f"{json(header)}:" for header in headers]
        self.id_open = f'{{{self.leads[0]}"'
        self._dates = dates

    def ids(self, ids: Sequence[str]) -> Sequence[str]:
        if not "".join(ids).encode().translate(None, _HARMLESS):
            return ids
        return [json(id)[1:-1] for id in ids]

    def instants(self, ms: int) -> str:
        _, at, iso, *_ = self.leads
        return f'{at}{ms},{iso}"{self._dates(ms)}",'

    def numbers(self, values: Sequence[int | float]) -> Sequence[str]:
        return numbers(values, beyond=lambda value: f'"{not_finite(value)}"')

    def cell(self, value: Any, lead: str) -> str:
        return "" if value is None else f"{lead}{self._value(value)},"

    def other(self, line: str, value: Any, lead: str, after: str) -> str:
        if value is None:
            return line.removesuffix(lead) + after[1:]
        return f"{line}{self._value(value)}{after}"

    def finished(self, rows: str) -> str:
        return rows.replace(",}\n", "}\n")

    def _value(self, value: Any) -> str:
        if type(value) is Instant:
            return f'"{self._dates(value)}"'
        return json(value)


class JsonLines:
    """Writes one export as JSON lines (`services.formats.port.Format`)."""

    def __init__(self, layout: Layout, *, dates: Dates = iso) -> None:
        self._rows = Rows(layout, Objects(layout.headers, dates=dates))

    @property
    def rows_at_once(self) -> int:
        return self._rows.at_once

    def begin(self) -> bytes:
        return b""

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        return self._rows.text(measures, rest).encode()

    def end(self) -> bytes:
        return b""
