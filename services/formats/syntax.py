"""What a format of rows promises to `rows`: how a cell is written, and what stands between cells."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Instant(int):
    """Epoch milliseconds that are written as a date."""


#: Writes an instant (epoch milliseconds) as a date.
Dates = Callable[[int], str]


class Syntax(Protocol):
    """Writes the cells of one file, whose headers it knows.

    A row is `open`, its cells, `end`. A cell is the lead of its column, its value, `close`; or `missing`. In the usual
    layout a row begins with `id_open`, an id as `ids` writes it, `id_close`.
    """

    @property
    def open(self) -> str: ...

    @property
    def end(self) -> str: ...

    @property
    def close(self) -> str: ...

    @property
    def missing(self) -> str: ...

    @property
    def id_open(self) -> str: ...

    @property
    def id_close(self) -> str: ...

    @property
    def leads(self) -> Sequence[str]: ...

    def ids(self, ids: Sequence[str]) -> Sequence[str]:
        """Return ids as they stand between `id_open` and `id_close`."""

    def instants(self, ms: int) -> str:
        """Return the cells of `Measured At` and `Measured At ISO`, of an instant that is stored as it usually is."""

    def numbers(self, values: Sequence[int | float]) -> Sequence[str]:
        """Return numbers as they stand between a lead and `close`."""

    def cell(self, value: Any, lead: str) -> str:
        """Return a whole cell of any value: of JSON's types, or an `Instant`."""

    def other(self, line: str, value: Any, lead: str, after: str) -> str:
        """Return a line and `after` with a value between them that is no number. `line` ends with the lead, and `after`
        begins with `close`.
        """

    def finished(self, rows: str) -> str:
        """Return rows as they stand in the file."""
