"""One at a time, and nobody for long while others wait."""

import threading

import pytest

from services import turns
from services.turns import Turns


def test_a_long_turn_lets_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits comes before it goes on."""
    monkeypatch.setattr(turns, "LONGEST_SECONDS", -1)
    shared, told = Turns(), []

    def other() -> None:
        with shared.turn():
            told.append("other")

    waiting = threading.Thread(target=other)
    with shared.turn():
        waiting.start()
        while "other" not in told:
            shared.rest()
        told.append("first")
    waiting.join()
    assert told == ["other", "first"]


def test_a_short_turn_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest that nobody needs costs nothing."""
    monkeypatch.setattr(turns, "LONGEST_SECONDS", 60)
    shared, told = Turns(), []

    def other() -> None:
        with shared.turn():
            told.append("other")

    waiting = threading.Thread(target=other)
    with shared.turn():
        waiting.start()
        shared.rest()
        told.append("first")
    waiting.join()
    assert told == ["first", "other"]
