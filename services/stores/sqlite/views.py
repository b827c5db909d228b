"""One view of the database, and whose work it is for."""

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
    """As long as was allowed."""


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
        """Closed with the view."""
        self._cursors.append(self.connection.cursor())
        return self._cursors[-1]

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Within a turn; its cursor may outlive that."""
        return self.cursor().execute(statement, values)

    @contextlib.contextmanager
    def turn(self, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
        """To run statements in. Raises `StoreUnavailable`, `ClientLeft`, and what `look` raises."""
        with self.cpu.turn(slack_seconds=slack_seconds), self.watched():
            yield

    def watched(self) -> contextlib.AbstractContextManager[None]:
        """To run statements in, within a turn."""
        return self._watched.running()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What takes longer ends: raises `TimeUp`."""
        self._end = time.monotonic() + seconds
        try:
            yield
        finally:
            self._end = math.inf

    def look(self) -> None:
        """Within a turn, often: others may have theirs. Raises `TimeUp`, `InvalidFilter`, `ClientLeft`."""
        if self.cpu.rest():
            self.trial.check()
            if time.monotonic() > self._end:
                raise TimeUp

    def close(self) -> None:
        """SQLite keeps files, cache and view of a closed connection until its cursors are closed, too."""
        while self._cursors:
            self._cursors.pop().close()
        self.connection.close()
