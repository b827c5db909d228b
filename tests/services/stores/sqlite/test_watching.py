"""Statements that take long: others have their turn within, and what they learn meanwhile ends them."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator

import pytest

from services.errors import ClientLeft, StoreUnavailable
from services.scheduling import cpu_turn
from services.scheduling.cpu_turn import CpuTurns
from services.stores.sqlite.watching import Watched

pytestmark = pytest.mark.slow

#: Takes seconds, in one step.
LENGTHY = """
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 20000000) SELECT count(*) FROM n
"""
SHORT = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100000) SELECT count(*) FROM n"


@contextlib.contextmanager
def watched(look: Callable[[], object], steps: int = 1000) -> Iterator[tuple[sqlite3.Connection, Watched]]:
    with contextlib.closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        found = Watched(connection, look)
        found.every(steps)
        yield connection, found


def test_what_a_look_raises_ends_the_statement() -> None:
    """And is raised in its place; the connection is as good as before."""
    looks: list[None] = []

    def look() -> None:
        looks.append(None)
        if len(looks) == 10:
            raise ClientLeft

    with watched(look) as (connection, found):
        with pytest.raises(ClientLeft), found.running():
            connection.execute(LENGTHY).fetchone()
        assert len(looks) == 10
        with found.running():
            assert connection.execute(SHORT).fetchone() == (100_000,)
        with pytest.raises(StoreUnavailable, match="no such table"), found.running():
            connection.execute("SELECT 1 FROM nowhere")


def test_within_a_function_of_a_statement() -> None:
    """Its own errors would be lost."""

    def look() -> None:
        raise ClientLeft

    with watched(look, steps=10**9) as (connection, found):
        connection.create_function("slow", 0, found.look)
        with pytest.raises(ClientLeft), found.running():
            connection.execute("SELECT slow()").fetchone()


def test_others_have_their_turn_within_a_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """On their own connections, at any depth, and each gets its own answer."""
    monkeypatch.setattr(cpu_turn, "LONGEST_SECONDS", 0)
    shared, answers, interrupted = CpuTurns(), list[int](), list[int]()

    def count(rows: int) -> None:
        cpu = shared.share()

        def look() -> None:
            if cpu.rest():
                interrupted.append(rows)

        with watched(look) as (connection, found), cpu.turn(), found.running():
            (counted,) = connection.execute(SHORT.replace("100000", str(rows))).fetchone()
            answers.append(counted)

    threads = [threading.Thread(target=count, args=(20_000 + number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [20_000 + number for number in range(20)]
    assert len(set(interrupted)) == 20
