"""One at a time, and nobody for long while others wait who have had less."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from services.errors import ClientLeft
from services.scheduling import cpu_turn
from services.scheduling.cpu_turn import AT_ONCE, FIRST_SECONDS, HOLDING, RECENT_SECONDS, CpuShare, CpuTurns, Recent
from tests.support.waiting import wait_until


@contextlib.contextmanager
def another(shared: CpuTurns, share: CpuShare, told: list[str]) -> Iterator[None]:
    """Within a turn of ours, somebody else wants one."""

    def other() -> None:
        with shared.share().turn():
            told.append("other")

    waiting = threading.Thread(target=other)
    with share.turn():
        waiting.start()
        yield
    waiting.join()


def test_a_long_turn_lets_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits comes before it goes on."""
    monkeypatch.setattr(cpu_turn, "LONGEST_SECONDS", -1)
    shared, told = CpuTurns(), list[str]()
    share = shared.share()
    with another(shared, share, told):
        while "other" not in told:
            assert share.rest()
        told.append("first")
    assert told == ["other", "first"]


def test_a_short_turn_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest that nobody needs costs nothing."""
    monkeypatch.setattr(cpu_turn, "LONGEST_SECONDS", 60)
    shared, told = CpuTurns(), list[str]()
    share = shared.share()
    with another(shared, share, told):
        assert not share.rest()
        told.append("first")
    assert told == ["first", "other"]


def test_who_has_no_turn_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds up nobody, and would take a place that it never leaves."""
    monkeypatch.setattr(cpu_turn, "LONGEST_SECONDS", -1)
    shared = CpuTurns()
    assert not shared.share().rest()
    with shared.share().turn():
        pass


#: CPU seconds that each has had lately, the slack that it asks with, and who goes first: `a` or `b`.
ORDERS = [
    ((0, 0.0), (1, 0.0), "a"),
    ((1, 0.0), (0, 0.0), "b"),
    ((1, 0.0), (0.5, 0.2), "b"),
    ((0, 5.0), (1, 0.0), "b"),
    ((0, 0.0), (0, AT_ONCE), "b"),
    ((0, 0.0), (2 * FIRST_SECONDS, AT_ONCE), "a"),
    ((0, AT_ONCE), (9, HOLDING), "b"),
    ((0, AT_ONCE), (0, AT_ONCE), "a"),
]


@pytest.mark.parametrize(("first", "second", "wins"), ORDERS)
def test_who_goes_first(first: tuple[float, float], second: tuple[float, float], wins: str) -> None:
    """Who holds a page, who has had nothing at all, then by what each has had of the core, and can do without."""
    shared, order = CpuTurns(), list[str]()

    def enter(name: str, had: float, slack_seconds: float) -> None:
        share = shared.share()
        share.spent_seconds = had
        share.recent.add(had)
        with share.turn(slack_seconds=slack_seconds):
            order.append(name)

    with shared.share().turn():
        threads = [
            threading.Thread(target=enter, args=(name, *each))
            for name, each in zip("ab", (first, second), strict=True)
        ]  # fmt: skip
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_until(lambda number=number: len(shared.semaphore.waiting) == number)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert order[0] == wins


def test_what_was_had_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """By and by: a third of it is left after a while."""
    now = [100.0]
    monkeypatch.setattr("services.scheduling.cpu_turn.time.monotonic", lambda: now[0])
    recent = Recent()
    recent.add(3)
    assert recent.seconds == 3
    now[0] += RECENT_SECONDS
    assert recent.seconds == pytest.approx(3 / 2.718281828)
    recent.add(1)
    assert recent.seconds == pytest.approx(1 + 3 / 2.718281828)


def test_a_client_that_has_left_has_no_more_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a rest; the place is others'."""
    monkeypatch.setattr(cpu_turn, "LONGEST_SECONDS", -1)
    shared, left = CpuTurns(), list[bool]()
    share = shared.share(lambda: bool(left))
    with share.turn():
        left.append(True)
        with pytest.raises(ClientLeft):
            share.rest()
    with pytest.raises(ClientLeft), share.turn():
        raise AssertionError
    with shared.share().turn():
        pass


def test_what_a_work_has_had_of_the_core() -> None:
    """Within its turns, not between them."""
    share = CpuTurns().share()
    with share.turn():
        while share.cpu_seconds < 0.02:
            pass
    before = share.cpu_seconds
    sum(range(1_000_000))
    assert share.cpu_seconds == before >= 0.02
