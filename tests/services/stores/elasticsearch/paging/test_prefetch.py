"""Pages ahead: within the budget of the process, in order, and given up for others."""

import threading
from collections.abc import Iterator

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from services.errors import StoreUnavailable
from services.stores.elasticsearch.paging.page_requests import PageRequest
from services.stores.elasticsearch.paging.prefetch import STALLED_SECONDS, PageQueue, PrefetchBudget, State
from services.stores.elasticsearch.paging.windows import Window
from services.stores.elasticsearch.transport.responses import Fetched
from services.stores.elasticsearch.transport.retries import RetryBudget
from tests.support.waiting import wait_until

#: Bytes of a page of the `Shelf`.
PAGE = 1000


class Shelf:
    """Gives pages of some bytes, when it is open; `errors` instead of those that are named there."""

    def __init__(self, *, page_bytes: int = PAGE, errors: dict[int, StoreUnavailable] | None = None) -> None:
        self.asked: list[int] = []
        self.open = threading.Event()
        self._page_bytes = page_bytes
        self._errors = errors or {}

    def retry_budget(self, request: PageRequest) -> RetryBudget:
        return RetryBudget("export x1", budget_seconds=0)

    def fetch(self, request: PageRequest, retry_budget: RetryBudget, *, slack_seconds: float) -> Fetched:
        number = request.window.skip
        self.asked.append(number)
        assert self.open.wait(30)
        if number in self._errors:
            raise self._errors[number]
        return page(number, self._page_bytes)


def page(number: int, size: int = PAGE) -> Fetched:
    """The body of a page of the `Shelf`."""
    return Fetched(bytes([number]) * size, 0.01)


def page_request(number: int) -> PageRequest:
    """Of one row; its number in place of something else."""
    return PageRequest(Window(None, 1, number, 1), 1, None, is_skip=False)


def queue(budget: PrefetchBudget, shelf: Shelf, pages: int = 5) -> PageQueue:
    made = PageQueue(budget, shelf)
    for number in range(pages):
        made.add(page_request(number))
    return made


def start(pages: PageQueue, ahead: int) -> None:
    """Ask for the first so many, of which each is expected to have as many bytes as one of the `Shelf`."""
    pages.start(ahead, row_bytes=PAGE, slack_seconds=0)


def come(pages: PageQueue, number: int) -> None:
    """Wait until so many have come."""
    wait_until(lambda: sum(fetch.state is State.WAITING for fetch in pages.fetches) == number)


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
    pages = queue(budget, shelf)
    start(pages, 4)
    come(pages, fitting)
    assert (sorted(shelf.asked), budget.used) == (list(range(fitting)), fitting * PAGE)
    pages.close()
    assert budget.used == 0


def test_pages_come_in_order_whatever_the_budget(shelf: Shelf) -> None:
    """Those that were not asked for ahead are told by `None`."""
    pages = queue(PrefetchBudget(2 * PAGE), shelf)
    start(pages, 5)
    come(pages, 2)
    taken = [pages.take() for _ in range(5)]
    assert [fetch.request for fetch in taken] == [page_request(number) for number in range(5)]
    assert [fetch.take() for fetch in taken] == [page(0), page(1), None, None, None]


def test_a_page_in_hand_is_not_of_the_budget(shelf: Shelf) -> None:
    """Everybody may hold one; its room is others' at once."""
    budget = PrefetchBudget(PAGE)
    pages, others = queue(budget, shelf), queue(budget, shelf)
    start(pages, 2)
    come(pages, 1)
    assert pages.take().take() == page(0)
    assert budget.used == 0
    start(others, 2)
    come(others, 1)
    assert budget.used == PAGE


def test_a_page_is_given_once(shelf: Shelf) -> None:
    """And kept no longer."""
    pages = queue(PrefetchBudget(PAGE), shelf)
    start(pages, 1)
    fetch = pages.take()
    assert (fetch.take(), fetch.take()) == (page(0), None)


def test_the_first_page_needs_no_room(shelf: Shelf) -> None:
    """Its reader has none yet."""
    budget = PrefetchBudget(0)
    pages = queue(budget, shelf)
    pages.begin()
    assert pages.take().take() == page(0)
    assert (shelf.asked, budget.used) == ([0], 0)


def test_there_may_be_no_first_page(shelf: Shelf) -> None:
    """Of no rows."""
    pages = queue(PrefetchBudget(PAGE), shelf, pages=0)
    pages.begin()
    assert (len(pages), shelf.asked) == (0, [])


def test_a_page_under_way_is_waited_for() -> None:
    """Not asked for twice."""
    shelf = Shelf()
    pages = queue(PrefetchBudget(9 * PAGE), shelf)
    start(pages, 1)
    wait_until(lambda: shelf.asked)
    threading.Timer(0, shelf.open.set).start()
    assert pages.take().take() == page(0)
    assert shelf.asked == [0]


def test_a_page_pushed_goes_before_others(shelf: Shelf) -> None:
    """The rest of a window."""
    pages = queue(PrefetchBudget(9 * PAGE), shelf)
    pages.take()
    pages.push(page_request(9))
    start(pages, 2)
    come(pages, 2)
    assert [pages.take().take() for _ in range(2)] == [page(9), page(1)]


@pytest.mark.parametrize("page_bytes", [0, PAGE // 2, 2 * PAGE])
def test_what_has_come_counts_by_its_size(page_bytes: int) -> None:
    """Not by what was expected."""
    shelf, budget = Shelf(page_bytes=page_bytes), PrefetchBudget(9 * PAGE)
    shelf.open.set()
    pages = queue(budget, shelf)
    start(pages, 3)
    come(pages, 3)
    assert budget.used == 3 * page_bytes


def test_a_page_larger_than_expected_may_have_no_room() -> None:
    """It is asked for again when its turn comes; the budget holds."""
    shelf, budget = Shelf(page_bytes=2 * PAGE), PrefetchBudget(3 * PAGE)
    shelf.open.set()
    pages = queue(budget, shelf)
    start(pages, 1)
    come(pages, 1)
    start(pages, 2)
    wait_until(lambda: len(shelf.asked) == 2 and budget.used == 2 * PAGE)
    assert pages.take().take() == page(0, 2 * PAGE)
    assert pages.take().take() is None
    assert budget.used == 0


def test_an_error_is_for_who_takes_the_page(shelf: Shelf) -> None:
    """Not for those before it; and it holds no room."""
    error = StoreUnavailable("gone")
    broken, budget = Shelf(errors={1: error}), PrefetchBudget(9 * PAGE)
    broken.open.set()
    pages = queue(budget, broken)
    start(pages, 2)
    assert pages.take().take() == page(0)
    fetch = pages.take()
    with pytest.raises(StoreUnavailable, match="gone"):
        fetch.take()
    wait_until(lambda: budget.used == 0)


def test_a_stalled_reader_makes_room_for_another(clock: FrozenDateTimeFactory, shelf: Shelf) -> None:
    """What waits for it is forgotten, not lost: it is asked for again."""
    budget = PrefetchBudget(2 * PAGE)
    stalled, new = queue(budget, shelf), queue(budget, shelf)
    start(stalled, 2)
    come(stalled, 2)
    stalled.handed()
    clock.tick(STALLED_SECONDS)
    start(new, 1)
    come(new, 1)
    assert (budget.used, stalled.fetches[0].fetched) == (PAGE, None)
    stalled.wanted()
    assert [stalled.take().take() for _ in range(5)] == [None] * 5
    new.close()
    assert budget.used == 0


def test_who_has_been_away_longest_makes_room_first(clock: FrozenDateTimeFactory, shelf: Shelf) -> None:
    """And nobody more than needed."""
    budget = PrefetchBudget(2 * PAGE)
    first, second, new = (queue(budget, shelf) for _ in range(3))
    for pages in (first, second):
        start(pages, 1)
        come(pages, 1)
    second.handed()
    clock.tick(1)
    first.handed()
    clock.tick(STALLED_SECONDS)
    start(new, 1)
    come(new, 1)
    come(first, 1)
    come(second, 0)


@pytest.mark.parametrize("seconds", [0.0, STALLED_SECONDS / 2])
def test_a_reader_who_has_just_got_a_page_keeps_others(
    clock: FrozenDateTimeFactory, shelf: Shelf, seconds: float
) -> None:
    """And so does one who waits for the next."""
    budget = PrefetchBudget(2 * PAGE)
    brisk, waiting, new = (queue(budget, shelf) for _ in range(3))
    for pages in (brisk, waiting):
        start(pages, 1)
        come(pages, 1)
    waiting.handed()
    clock.tick(10 * STALLED_SECONDS)
    waiting.wanted()
    brisk.handed()
    clock.tick(seconds)
    start(new, 1)
    assert [
        len([fetch for fetch in pages.fetches if fetch.state is not State.PLANNED]) for pages in (brisk, waiting, new)
    ] == [1, 1, 0]


def test_who_has_left_holds_nothing() -> None:
    """Neither what was under way, nor a place among those who are away."""
    shelf, budget = Shelf(), PrefetchBudget(3 * PAGE)
    pages = queue(budget, shelf, pages=3)
    start(pages, 3)
    wait_until(lambda: len(shelf.asked) == 3)
    waiting = list(pages.fetches)
    pages.close()
    pages.handed()
    assert (budget.used, budget.idle) == (0, {})
    shelf.open.set()
    wait_until(lambda: all(fetch.settled.is_set() for fetch in waiting))
    assert ([fetch.fetched for fetch in waiting], budget.used) == ([None] * 3, 0)
    start(pages, 3)
    assert len(shelf.asked) == 3


def test_many_readers_at_once_leave_nothing_behind(shelf: Shelf) -> None:
    """Each reads to its end or leaves before; the budget is as it was."""
    budget = PrefetchBudget(7 * PAGE)

    def read(leaves_after: int) -> None:
        pages = queue(budget, shelf, pages=20)
        for number in range(leaves_after):
            pages.wanted()
            fetch = pages.take()
            start(pages, 3)
            assert fetch.take() in (None, page(number))
            assert budget.used <= 7 * PAGE
            pages.handed()
        pages.close()

    readers = [threading.Thread(target=read, args=(1 + number % 20,)) for number in range(40)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    wait_until(lambda: budget.used == 0)
