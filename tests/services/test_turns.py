"""One at a time, and nobody for long while others wait."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from services import turns
from services.turns import Turns


@contextlib.contextmanager
def another(shared: Turns, told: list[str]) -> Iterator[None]:
    """Within a turn of ours, somebody else wants one."""

    def other() -> None:
        with shared.turn():
            told.append("other")

    waiting = threading.Thread(target=other)
    with shared.turn():
        waiting.start()
        yield
    waiting.join()


def test_a_long_turn_lets_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits comes before it goes on."""
    monkeypatch.setattr(turns, "LONGEST_SECONDS", -1)
    shared, told = Turns(), list[str]()
    with another(shared, told):
        while "other" not in told:
            shared.rest()
        told.append("first")
    assert told == ["other", "first"]


def test_a_short_turn_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest that nobody needs costs nothing."""
    monkeypatch.setattr(turns, "LONGEST_SECONDS", 60)
    shared, told = Turns(), list[str]()
    with another(shared, told):
        shared.rest()
        told.append("first")
    assert told == ["first", "other"]
