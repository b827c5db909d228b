"""Patience: how often, how long, and when it ends. Time does not pass but by its own pauses."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from services.errors import StoreUnavailable
from services.stores.elasticsearch.transport.retries import (
    FIRST_PAUSE,
    LEAST_WAIT,
    LONGEST_PAUSE,
    Late,
    RetryBudget,
    Temporary,
)

BUDGET = 60.0


class Pauses(threading.Event):
    """What waits for it takes no time, but moves the clock."""

    def __init__(self, clock: FrozenDateTimeFactory) -> None:
        super().__init__()
        self._clock = clock
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        self._clock.tick(timeout)
        return self.is_set()


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    with freeze_time(ignore=["_pytest.timing"]) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


@pytest.fixture
def pauses(clock: FrozenDateTimeFactory) -> Pauses:
    return Pauses(clock)


@pytest.fixture
def retry_budget(pauses: Pauses) -> RetryBudget:
    return RetryBudget("export x1", budget_seconds=BUDGET, ended=pauses)


def failing(times: int | None) -> Callable[[], str]:
    """Fails so often; `None`: always."""
    left = iter(int, 1) if times is None else iter(range(times))

    def attempt() -> str:
        if next(left, None) is None:
            return "an answer"
        raise Temporary("503 busy")

    return attempt


def test_what_works_is_not_repeated(retry_budget: RetryBudget, pauses: Pauses) -> None:
    """And nothing waits."""
    assert retry_budget.run(failing(0)) == "an answer"
    assert pauses.seconds == []


@pytest.mark.parametrize("times", [1, 2, 7])
def test_what_fails_is_tried_again(retry_budget: RetryBudget, pauses: Pauses, times: int) -> None:
    """After pauses that double, with jitter, up to a longest one."""
    assert retry_budget.run(failing(times)) == "an answer"
    assert len(pauses.seconds) == times
    for number, seconds in enumerate(pauses.seconds):
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**number)
        assert longest / 2 <= seconds <= longest


def test_pauses_differ(pauses: Pauses) -> None:
    """Many exports that fail together do not come back together."""
    for _ in range(20):
        RetryBudget("export x1", budget_seconds=BUDGET, ended=pauses).run(failing(1))
    assert len(set(pauses.seconds)) == 20


def test_the_budget_begins_with_the_first_failure(clock: FrozenDateTimeFactory, retry_budget: RetryBudget) -> None:
    """However long the export has been going on."""
    clock.tick(10 * BUDGET)
    assert retry_budget.run(failing(3)) == "an answer"


@pytest.mark.parametrize("most", [0.0, 1.0, 30.0])
def test_the_budget_ends(
    clock: FrozenDateTimeFactory,
    retry_budget: RetryBudget,
    pauses: Pauses,
    caplog: pytest.LogCaptureFixture,
    most: float,
) -> None:
    """With the last reason, and how often it was tried; each try is in the log. `most`: seconds that one takes."""
    tried: list[float] = []

    def attempt() -> None:
        clock.tick(min(most, retry_budget.wait_seconds(30)))
        tried.append(time.monotonic())
        raise Temporary("503 busy")

    with caplog.at_level(logging.WARNING), pytest.raises(StoreUnavailable) as raised:
        retry_budget.run(attempt)
    passed = tried[-1] - tried[0]
    assert BUDGET - LONGEST_PAUSE <= passed <= BUDGET + LEAST_WAIT
    assert raised.value.message == f"Elasticsearch: 503 busy (tried {len(tried)} times in {passed:.1f} s)"
    assert [record.getMessage() for record in caplog.records] == [
        f"export x1: 503 busy; retry {number} in {pause:.1f} s" for number, pause in enumerate(pauses.seconds, start=1)
    ]


def test_without_a_budget_once_is_enough(pauses: Pauses) -> None:
    """0 seconds: not tried again."""
    with pytest.raises(StoreUnavailable, match="tried 1 times"):
        RetryBudget("closing", budget_seconds=0, ended=pauses).run(failing(1))
    assert pauses.seconds == []


def test_nobody_waits_any_more(retry_budget: RetryBudget, pauses: Pauses) -> None:
    """The client has left: no further try."""
    pauses.set()
    with pytest.raises(StoreUnavailable):
        retry_budget.run(failing(1))
    assert pauses.seconds == []


def test_other_errors_are_not_tried_again(retry_budget: RetryBudget, pauses: Pauses) -> None:
    """Neither a refusal nor a mistake of ours."""
    with pytest.raises(ZeroDivisionError):
        retry_budget.run(lambda: 1 // 0)
    assert pauses.seconds == []


def test_an_answer_is_awaited_within_the_budget(clock: FrozenDateTimeFactory, retry_budget: RetryBudget) -> None:
    """As long as usual, then for what is left, and never for no time at all."""
    assert retry_budget.wait_seconds(30) == 30
    retry_budget.failed(Temporary("late"))
    clock.tick(BUDGET / 2)
    assert 29 < retry_budget.wait_seconds(30) <= 30
    clock.tick(BUDGET / 4)
    assert 14 < retry_budget.wait_seconds(30) < 15
    clock.tick(BUDGET)
    assert retry_budget.wait_seconds(30) == LEAST_WAIT


def test_failures_of_one_page_add_up(retry_budget: RetryBudget) -> None:
    """Fetched ahead, then decoded: one budget for both."""
    retry_budget.failed(Temporary("reset"))
    with pytest.raises(StoreUnavailable, match=r"tried \d\d+ times"):
        retry_budget.run(failing(None))


def late(times: int) -> Callable[[], str]:
    """So often."""
    left = iter(range(times))

    def attempt() -> str:
        if next(left, None) is None:
            return "an answer"
        raise Late("no answer in time (30 s)")

    return attempt


def test_what_is_late_is_not_repeated_while_a_caller_waits(pauses: Pauses) -> None:
    """Until rows are on their way; other failures are."""
    begun = threading.Event()
    early = RetryBudget("export x1", budget_seconds=BUDGET, ended=pauses, begun=begun)
    assert early.run(failing(1)) == "an answer"
    with pytest.raises(StoreUnavailable, match=r"Elasticsearch: no answer in time \(30 s\)"):
        early.run(late(1))
    begun.set()
    assert RetryBudget("export x1", budget_seconds=BUDGET, ended=pauses, begun=begun).run(late(2)) == "an answer"
    assert RetryBudget("export x1", budget_seconds=BUDGET, ended=pauses).run(late(2)) == "an answer"
