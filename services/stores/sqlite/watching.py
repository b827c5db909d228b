"""The watching of a connection's statements: a single step of one may take seconds."""

import contextlib
import sqlite3
from collections.abc import Iterator

from services.scheduling.tick import Tick
from services.stores.sqlite.schema import unavailable


class Watched:
    """Calls `look` now and then while a statement runs; what it raises ends the statement, and is
    raised in its place.

    `look` may give others their turn from within: SQLite holds nothing then that is not this
    connection's own.
    """

    def __init__(self, connection: sqlite3.Connection, look: Tick) -> None:
        self._connection = connection
        self._look = look
        self._raised: BaseException | None = None

    def every(self, steps: int) -> None:
        """Look after so many steps of SQLite's virtual machine; it counts where it jumps back, or has a row."""
        self._connection.set_progress_handler(self._step, steps)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Surround statements. Raises what `look` has raised, and `StoreUnavailable` for what SQLite refuses."""
        with unavailable():
            try:
                yield
            except sqlite3.OperationalError:
                raised, self._raised = self._raised, None
                if raised is None:
                    raise
                raise raised from None

    def look(self) -> None:
        """Look from functions that statements call: their errors are lost, as SQLite's own frames stand between."""
        try:
            self._look()
        except BaseException as error:
            self._raised = error
            raise

    def _step(self) -> int:
        """Return whether to interrupt the statement: not 0."""
        try:
            self.look()
        except BaseException:  # noqa: BLE001  it is raised where the statement was run
            return 1
        return 0
