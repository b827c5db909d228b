"""Retries: with jitter, and for no longer than a budget of seconds after the first failure."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from services.errors import StoreUnavailable

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Of its own: drawing from the one of all would change what others draw.
_chance = random.Random()  # noqa: S311

#: Seconds: the first pause, the longest one, and the least that an answer is awaited.
FIRST_PAUSE, LONGEST_PAUSE, LEAST_WAIT = 0.1, 5.0, 0.5


class Temporary(Exception):
    """An attempt failed that may go better next time; the text is the reason."""


class Late(Temporary):
    """Time ran out: another attempt would cost as much again."""


class RetryBudget:
    """Counts the failures of one thing that is tried again. `what` begins the sentences of the log.

    `ended`: set when nobody wants it any more. `begun`: set once rows are on their way; until then
    nothing that was `Late` is repeated, since a caller waits for a status. `None`: as if it were
    set.
    """

    def __init__(
        self,
        what: str,
        *,
        budget_seconds: float,
        ended: threading.Event | None = None,
        begun: threading.Event | None = None,
    ) -> None:
        self._what = what
        self._budget = budget_seconds
        self.ended = ended or threading.Event()
        self._begun = begun
        self._since: float | None = None
        self._failures = 0

    @property
    def is_early(self) -> bool:
        """Whether a caller waits for a status."""
        return self._begun is not None and not self._begun.is_set()

    def wait_seconds(self, most: float) -> float:
        """Return how long the next answer is awaited: `most`, but not beyond the budget."""
        if self._since is None:
            return most
        return max(LEAST_WAIT, min(most, self._since + self._budget - time.monotonic()))

    def failed(self, error: Temporary) -> None:
        """Pause before the next attempt. Raises `StoreUnavailable` when the budget is used up, or
        nobody waits any more.
        """
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        self._failures += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self._failures - 1)) * _chance.uniform(0.5, 1)
        if self.is_early and isinstance(error, Late):
            raise StoreUnavailable(f"Elasticsearch: {error}.") from error
        if self.ended.is_set() or now + pause > self._since + self._budget:
            reason = f"Elasticsearch: {error} (tried {self._failures} times in {now - self._since:.1f} s)"
            raise StoreUnavailable(reason) from error
        log.warning("%s: %s; retry %d in %.1f s", self._what, error, self._failures, pause)
        self.ended.wait(pause)

    def run(self, attempt: Callable[[], Answer]) -> Answer:
        """Return what an attempt returns, once one does not raise `Temporary`."""
        while True:
            try:
                return attempt()
            except Temporary as error:
                self.failed(error)
