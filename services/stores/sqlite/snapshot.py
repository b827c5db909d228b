"""A snapshot of the database: one read transaction, and the share of the CPU that its statements run in."""

import contextlib
import math
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any

from services.filters.python.trial import Trial
from services.filters.sqlite import register
from services.scheduling.cpu_turn import AT_ONCE, CpuShare
from services.stores.sqlite import schema
from services.stores.sqlite.watching import Watched

#: Steps of SQLite between two looks at the clock, where it has many in one row or in a count: a fraction of a
#: millisecond. A row without a filter has eight, a clause some ten more.
STEPS = 1000


class TimeUp(Exception):
    """A statement took as long as was allowed."""


class Snapshot:
    """A connection of its own in one read transaction, until it is closed. For any thread, one at a time."""

    def __init__(self, path: str, cpu: CpuShare) -> None:
        self.cpu = cpu
        self.trial = Trial(lambda: cpu.cpu_seconds)
        self.connection = schema.reader(path)
        self._cursors: list[sqlite3.Cursor] = []
        self._end = math.inf
        self._watched = Watched(self.connection, self.look)
        register(self.connection, self._watched.look)
        self._watched.every(STEPS)
        self.connection.execute("BEGIN")

    def cursor(self) -> sqlite3.Cursor:
        """Return a cursor that is closed with the snapshot."""
        self._cursors.append(self.connection.cursor())
        return self._cursors[-1]

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement within a turn; its cursor may outlive that."""
        return self.cursor().execute(statement, values)

    @contextlib.contextmanager
    def turn(self, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
        """Have a turn to run statements in. Raises `StoreUnavailable`, `ClientLeft`, and what `look` raises."""
        with self.cpu.turn(slack_seconds=slack_seconds), self.watched():
            yield

    def watched(self) -> contextlib.AbstractContextManager[None]:
        """Watch the statements that are run, within a turn."""
        return self._watched.running()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raise `TimeUp` in what takes longer than so many seconds."""
        self._end = time.monotonic() + seconds
        try:
            yield
        finally:
            self._end = math.inf

    def look(self) -> None:
        """Let others have their turn; called often, within a turn. Raises `TimeUp`, `InvalidFilter`, `ClientLeft`."""
        if self.cpu.rest():
            self.trial.check()
            if time.monotonic() > self._end:
                raise TimeUp

    def close(self) -> None:
        """Close cursors and connection: SQLite keeps its files and cache until its cursors are closed, too."""
        while self._cursors:
            self._cursors.pop().close()
        self.connection.close()
