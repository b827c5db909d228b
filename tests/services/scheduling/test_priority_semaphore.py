"""The gate: never more under way than it has places, and whose reader runs dry first goes first."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from services.scheduling.priority_semaphore import Busy, PrioritySemaphore
from tests.support.waiting import wait_until


@contextlib.contextmanager
def waiting(semaphore: PrioritySemaphore, dues: list[float], order: list[float]) -> Iterator[None]:
    """Threads that want a place by these times, in this order of asking; they note when they have it."""

    def enter(due: float) -> None:
        with semaphore.permit(due=due):
            order.append(due)

    threads = []
    for number, due in enumerate(dues, start=1):
        threads.append(threading.Thread(target=enter, args=(due,)))
        threads[-1].start()
        wait_until(lambda number=number: len(semaphore.waiting) == number)  # type: ignore[misc]
    yield
    for thread in threads:
        thread.join()


def test_who_runs_dry_first_goes_first() -> None:
    """And of those that are even, who asked first."""
    semaphore, order = PrioritySemaphore(1), list[float]()
    with waiting_behind(semaphore, [5.0, 3.0, 9.0, 1.0, 3.0], order):
        assert order == []
    assert order == [1.0, 3.0, 3.0, 5.0, 9.0]


@contextlib.contextmanager
def waiting_behind(semaphore: PrioritySemaphore, dues: list[float], order: list[float]) -> Iterator[None]:
    """While the only place is held."""
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(contextlib.ExitStack())
        held.enter_context(semaphore.permit(due=0, wait_seconds=0))
        stack.enter_context(waiting(semaphore, dues, order))
        stack.callback(held.close)
        yield


def test_no_more_than_it_has_places() -> None:
    """Whoever asks, however often, and whatever goes wrong inside."""
    semaphore, inside, most = PrioritySemaphore(3), 0, 0
    one = threading.Lock()

    def work(number: int) -> None:
        nonlocal inside, most
        for turn in range(50):
            with contextlib.suppress(ZeroDivisionError), semaphore.permit(due=number * turn % 7):
                with one:
                    inside, most = inside + 1, max(most, inside + 1)
                with one:
                    inside -= 1
                _ = 1 // (turn % 2)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most <= 3, semaphore.free, semaphore.waiting) == (0, True, 3, [])


def test_nobody_waits_for_ever() -> None:
    """It may go better next time; the place in the queue is given up."""
    semaphore = PrioritySemaphore(1)
    with semaphore.permit(due=0, wait_seconds=0):
        with pytest.raises(Busy), semaphore.permit(due=0, wait_seconds=0):
            pass
        assert semaphore.waiting == []
    with semaphore.permit(due=0, wait_seconds=0):
        pass


@pytest.mark.parametrize("called", [False, True])
def test_who_is_ended_while_it_waits_leaves_nothing(called: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a place that nobody has, nor an entry that would be given one; called meanwhile or not."""
    semaphore = PrioritySemaphore(1)
    semaphore.enter(due=0)

    def wait(event: threading.Event, seconds: float | None = None) -> bool:
        if called:
            semaphore.leave()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Event, "wait", wait)
        with pytest.raises(KeyboardInterrupt):
            semaphore.enter(due=0)
    if not called:
        semaphore.leave()
    semaphore.enter(due=0, wait_seconds=0)
