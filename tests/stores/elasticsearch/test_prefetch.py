"""Pages ahead: within the budget of the process, in order, and given up for others."""

import threading
from collections.abc import Iterator

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from services.errors import StoreUnavailable
from services.scheduling.cpu_turn import MOST_SLACK_SECONDS
from services.stores.elasticsearch.paging.page_requests import PageRequest
from services.stores.elasticsearch.paging.prefetch import (
    MOST_AHEAD,
    SLOW_SECONDS,
    SLOW_TIMES,
    STALLED_SECONDS,
    Pace,
    PageQueue,
    PrefetchBudget,
)
from services.stores.elasticsearch.paging.windows import WINDOW_ROWS, Window
from services.stores.elasticsearch.transport.retries import RetryBudget
from tests.support.waiting import wait_until

#: Bytes of a page of the `Shelf`.
PAGE = 1000


class Shelf:
    """Gives pages of some bytes, when it is open; `errors` instead of those that are named there."""

    def __init__(self, *, page_bytes: int = PAGE, errors: dict[int, StoreUnavailable] | None = None) -> None:
        self.row_bytes = float(PAGE)
        self.asked: list[int] = []
        self.open = threading.Event()
        self._page_bytes = page_bytes
        self._errors = errors or {}

    def retry_budget(self, step: PageRequest) -> RetryBudget:
        return RetryBudget("export x1", budget_seconds=0)

    def fetch(self, step: PageRequest, retry_budget: RetryBudget) -> bytes:
        number = step.window.skip
        self.asked.append(number)
        assert self.open.wait(30)
        if number in self._errors:
            raise self._errors[number]
        return bytes([number]) * self._page_bytes


def step(number: int) -> PageRequest:
    """Of one row; its number in place of something else."""
    return PageRequest(Window(None, 1, number, 1), 1, None, is_skip=False)


def line(budget: PrefetchBudget, shelf: Shelf, pages: int = 5) -> PageQueue:
    made = PageQueue(budget, shelf)
    for number in range(pages):
        made.add(step(number))
    return made


def come(pages: PageQueue, number: int) -> None:
    """Wait until so many have come."""
    wait_until(lambda: sum(fetch.body is not None for fetch in pages._fetches) == number)


@pytest.fixture
def shelf() -> Shelf:
    """Open."""
    made = Shelf()
    made.open.set()
    return made


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    with freeze_time(ignore=["_pytest.timing", "tests.support.waiting"]) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


@pytest.mark.parametrize(("limit", "fitting"), [(0, 0), (PAGE - 1, 0), (PAGE, 1), (3 * PAGE + 1, 3), (99 * PAGE, 4)])
def test_pages_ahead_stay_within_the_budget(shelf: Shelf, limit: int, fitting: int) -> None:
    """As many as have room, the first ones first."""
    budget = PrefetchBudget(limit)
    pages = line(budget, shelf)
    pages.start(4)
    come(pages, fitting)
    assert (sorted(shelf.asked), budget.used) == (list(range(fitting)), fitting * PAGE)
    pages.close()
    assert budget.used == 0


def test_pages_come_in_order_whatever_the_budget(shelf: Shelf) -> None:
    """Those that were not asked for ahead are told by `None`."""
    pages = line(PrefetchBudget(2 * PAGE), shelf)
    pages.start(5)
    come(pages, 2)
    taken = [pages.take() for _ in range(5)]
    assert [fetch.step for fetch in taken] == [step(number) for number in range(5)]
    assert [fetch.take() for fetch in taken] == [b"\0" * PAGE, b"\1" * PAGE, None, None, None]


def test_a_page_in_hand_is_not_of_the_budget(shelf: Shelf) -> None:
    """Everybody may hold one; its room is others' at once."""
    budget = PrefetchBudget(PAGE)
    pages, others = line(budget, shelf), line(budget, shelf)
    pages.start(2)
    come(pages, 1)
    assert pages.take().take() == b"\0" * PAGE
    assert budget.used == 0
    others.start(2)
    come(others, 1)
    assert budget.used == PAGE


def test_a_page_is_given_once(shelf: Shelf) -> None:
    """And kept no longer."""
    pages = line(PrefetchBudget(PAGE), shelf)
    pages.start(1)
    fetch = pages.take()
    assert (fetch.take(), fetch.take()) == (b"\0" * PAGE, None)


def test_the_first_page_needs_no_room(shelf: Shelf) -> None:
    """Its reader has none yet."""
    budget = PrefetchBudget(0)
    pages = line(budget, shelf)
    pages.begin()
    assert pages.take().take() == b"\0" * PAGE
    assert (shelf.asked, budget.used) == ([0], 0)


def test_there_may_be_no_first_page(shelf: Shelf) -> None:
    """Of no rows."""
    pages = line(PrefetchBudget(PAGE), shelf, pages=0)
    pages.begin()
    assert (len(pages), shelf.asked) == (0, [])


def test_a_page_under_way_is_waited_for() -> None:
    """Not asked for twice."""
    shelf = Shelf()
    pages = line(PrefetchBudget(9 * PAGE), shelf)
    pages.start(1)
    wait_until(lambda: shelf.asked)
    threading.Timer(0, shelf.open.set).start()
    assert pages.take().take() == b"\0" * PAGE
    assert shelf.asked == [0]


def test_a_page_pushed_goes_before_others(shelf: Shelf) -> None:
    """The rest of a window."""
    pages = line(PrefetchBudget(9 * PAGE), shelf)
    pages.take()
    pages.push(step(9))
    pages.start(2)
    come(pages, 2)
    assert [pages.take().take() for _ in range(2)] == [b"\x09" * PAGE, b"\1" * PAGE]


@pytest.mark.parametrize("page_bytes", [0, PAGE // 2, 2 * PAGE])
def test_what_has_come_counts_by_its_size(page_bytes: int) -> None:
    """Not by what was expected."""
    shelf, budget = Shelf(page_bytes=page_bytes), PrefetchBudget(9 * PAGE)
    shelf.open.set()
    pages = line(budget, shelf)
    pages.start(3)
    come(pages, 3)
    assert budget.used == 3 * page_bytes


def test_a_page_larger_than_expected_may_have_no_room() -> None:
    """It is asked for again when its turn comes; the budget holds."""
    shelf, budget = Shelf(page_bytes=2 * PAGE), PrefetchBudget(3 * PAGE)
    shelf.open.set()
    pages = line(budget, shelf)
    pages.start(1)
    come(pages, 1)
    pages.start(2)
    wait_until(lambda: len(shelf.asked) == 2 and budget.used == 2 * PAGE)
    assert pages.take().take() == b"\0" * 2 * PAGE
    assert pages.take().take() is None
    assert budget.used == 0


def test_an_error_is_for_who_takes_the_page(shelf: Shelf) -> None:
    """Not for those before it; and it holds no room."""
    error = StoreUnavailable("gone")
    broken, budget = Shelf(errors={1: error}), PrefetchBudget(9 * PAGE)
    broken.open.set()
    pages = line(budget, broken)
    pages.start(2)
    assert pages.take().take() == b"\0" * PAGE
    fetch = pages.take()
    with pytest.raises(StoreUnavailable, match="gone"):
        fetch.take()
    wait_until(lambda: budget.used == 0)


def test_a_stalled_reader_makes_room_for_another(clock: FrozenDateTimeFactory, shelf: Shelf) -> None:
    """What waits for it is forgotten, not lost: it is asked for again."""
    budget = PrefetchBudget(2 * PAGE)
    stalled, new = line(budget, shelf), line(budget, shelf)
    stalled.start(2)
    come(stalled, 2)
    stalled.away()
    clock.tick(STALLED_SECONDS)
    new.start(1)
    come(new, 1)
    assert (budget.used, stalled._fetches[0].body) == (PAGE, None)
    stalled.back()
    assert [stalled.take().take() for _ in range(5)] == [None] * 5
    new.close()
    assert budget.used == 0


def test_who_has_been_away_longest_makes_room_first(clock: FrozenDateTimeFactory, shelf: Shelf) -> None:
    """And nobody more than needed."""
    budget = PrefetchBudget(2 * PAGE)
    first, second, new = (line(budget, shelf) for _ in range(3))
    for pages in (first, second):
        pages.start(1)
        come(pages, 1)
    second.away()
    clock.tick(1)
    first.away()
    clock.tick(STALLED_SECONDS)
    new.start(1)
    come(new, 1)
    come(first, 1)
    come(second, 0)


@pytest.mark.parametrize("seconds", [0.0, STALLED_SECONDS / 2])
def test_a_reader_who_has_just_got_a_page_keeps_others(
    clock: FrozenDateTimeFactory, shelf: Shelf, seconds: float
) -> None:
    """And so does one who waits for the next."""
    budget = PrefetchBudget(2 * PAGE)
    brisk, waiting, new = (line(budget, shelf) for _ in range(3))
    for pages in (brisk, waiting):
        pages.start(1)
        come(pages, 1)
    waiting.away()
    clock.tick(10 * STALLED_SECONDS)
    waiting.back()
    brisk.away()
    clock.tick(seconds)
    new.start(1)
    assert [len([fetch for fetch in pages._fetches if fetch.started]) for pages in (brisk, waiting, new)] == [1, 1, 0]


def test_who_has_left_holds_nothing() -> None:
    """Neither what was under way, nor a place among those who are away."""
    shelf, budget = Shelf(), PrefetchBudget(3 * PAGE)
    pages = line(budget, shelf, pages=3)
    pages.start(3)
    wait_until(lambda: len(shelf.asked) == 3)
    waiting = list(pages._fetches)
    pages.close()
    pages.away()
    assert (budget.used, budget._away) == (0, {})
    shelf.open.set()
    wait_until(lambda: all(fetch.done.is_set() for fetch in waiting))
    assert ([fetch.body for fetch in waiting], budget.used) == ([None] * 3, 0)
    pages.start(3)
    assert len(shelf.asked) == 3


def test_many_readers_at_once_leave_nothing_behind(shelf: Shelf) -> None:
    """Each reads to its end or leaves before; the budget is as it was."""
    budget = PrefetchBudget(7 * PAGE)

    def read(leaves_after: int) -> None:
        pages = line(budget, shelf, pages=20)
        for number in range(leaves_after):
            pages.back()
            fetch = pages.take()
            pages.start(3)
            assert fetch.take() in (None, bytes([number]) * PAGE)
            assert budget.used <= 7 * PAGE
            pages.away()
        pages.close()

    readers = [threading.Thread(target=read, args=(1 + number % 20,)) for number in range(40)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    wait_until(lambda: budget.used == 0)


class TestPace:
    """How far ahead is read."""

    @staticmethod
    def paces(clock: FrozenDateTimeFactory, *pages: tuple[float, float]) -> tuple[list[int], list[int]]:
        """Ahead, and rows, after each page: seconds that its reader took, seconds that the next one took to come."""
        pace = Pace(1000)
        pace.returned(0)
        ahead, rows = [pace.ahead], [pace.rows]
        for taken, fetched in pages:
            pace.handed()
            clock.tick(taken)
            pace.returned(fetched)
            ahead.append(pace.ahead)
            rows.append(pace.rows)
        return ahead, rows

    def test_nothing_before_the_first_page_is_taken(self, clock: FrozenDateTimeFactory) -> None:
        """A reader may be slow."""
        assert self.paces(clock) == ([0], [1000])

    def test_a_fast_reader_is_read_ahead_of(self, clock: FrozenDateTimeFactory) -> None:
        """Twice as far each time, and twice as many rows, up to a limit."""
        ahead, rows = self.paces(clock, *[(0.02, 0.03)] * 4)
        assert ahead == [0, 1, 2, MOST_AHEAD, MOST_AHEAD]
        assert rows == [1000, 2000, 4000, WINDOW_ROWS, WINDOW_ROWS]

    def test_a_slow_one_is_not(self, clock: FrozenDateTimeFactory) -> None:
        """From the first slow page on; fast again, from the beginning. Its pages do not grow."""
        fast, slow = (0.1, 0.1), (SLOW_SECONDS + 0.01, 0.02)
        assert self.paces(clock, fast, fast, slow, slow, fast)[0] == [0, 1, 2, 0, 0, 1]
        assert self.paces(clock, slow, fast, slow, slow)[1] == [1000, 1000, 2000, 2000, 2000]

    def test_slow_is_against_the_store(self, clock: FrozenDateTimeFactory) -> None:
        """Where a page takes a second to come, one of two seconds' reading is worth reading ahead."""
        assert self.paces(clock, (SLOW_TIMES - 1.0, 1.0), (SLOW_TIMES + 1.0, 1.0))[0] == [0, 1, 0]

    @pytest.mark.parametrize(("taken", "slack"), [(0.2, 0), (1.5, 1.5), (60, MOST_SLACK_SECONDS)])
    def test_a_slow_one_can_wait(self, clock: FrozenDateTimeFactory, taken: float, slack: float) -> None:
        """It still has something in the buffer of its socket; a fast one has not."""
        pace = Pace(1000)
        for seconds, expected in ((taken, slack), (0.1, 0)):
            pace.handed()
            clock.tick(seconds)
            pace.returned(0.02)
            assert pace.slack_seconds == pytest.approx(expected)
