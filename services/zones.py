"""Time zones: what a wall clock shows at an instant, and which instant it means."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from services import instants
from services.errors import shortened
from services.instants import CYCLE_DAYS, DAY, EPOCH, HOUR, MINUTE, SECOND

#: Local milliseconds that `datetime` reaches, with a day to spare.
FIRST_MS, LAST_MS = (2 - EPOCH) * DAY, (date.max.toordinal() - EPOCH - 1) * DAY

#: The calendar repeats itself after so many milliseconds; the rules of zones, too, far in the future.
CYCLE_MS = CYCLE_DAYS * DAY

#: Minutes, and blocks of a few hours, that are kept of a zone.
KEPT, BLOCK = 4096, 6 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLIS = tuple(f"{ms:03}" for ms in range(1000))


class Zone:
    """Tells the time of one zone. Instants and times are milliseconds since 1970-01-01T00:00, in UTC and there.

    `iso` writes an instant with its offset (`2024-06-10T08:13:20.000+02:00`; `Z` for the zone `UTC` alone); it is quick
    for instants that come in order, as what `local` returns is.
    """

    def __init__(self, name: str, rules: tzinfo) -> None:
        self._rules = rules
        self._blocks = Blocks(self._offset_ms_at)
        with_offset = Minutes(self.offset_ms_at, "T", ".", offset_text)
        self.iso: Callable[[int], str] = instants.iso if name == "UTC" else with_offset.text

    def local(self, mark: str = ".") -> Callable[[int], str]:
        """Return what writes an instant without its offset, with that decimal mark: `2024-06-10 08:13:20.000`."""
        return Minutes(self.offset_ms_at, " ", mark, lambda _: "").text

    def offset_ms_at(self, ms: int) -> int:
        """Return the milliseconds by which the zone is ahead of UTC at an instant."""
        offset = self._blocks[ms // BLOCK]
        return self._offset_ms_at(ms) if offset is None else offset

    def _offset_ms_at(self, ms: int) -> int:
        at = _EPOCH + timedelta(milliseconds=near(ms))
        return _ms(at.astimezone(self._rules).utcoffset())

    def instant_of(self, local_ms: int, *, last: bool = False) -> int:
        """Return the instant at which the wall clock shows a time.

        A time that it skips is read with the offset before that; one that it shows twice is the first, with `last` the
        last.
        """
        shown = (_EPOCH + timedelta(milliseconds=near(local_ms))).replace(tzinfo=self._rules)
        before, after = (_ms(shown.replace(fold=fold).utcoffset()) for fold in (0, 1))
        # where a time is shown twice, the offset becomes less
        return local_ms - (after if last and after < before else before)


def near(ms: int) -> int:
    """Return a time within what `datetime` knows, at which the rules are those of `ms`."""
    if ms > LAST_MS:
        return ms - -(-(ms - LAST_MS) // CYCLE_MS) * CYCLE_MS
    return max(ms, FIRST_MS)


def _ms(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // timedelta(milliseconds=1)


class Blocks(dict[int, int | None]):
    """Holds the offset of a few hours, by their number since 1970 in UTC; `None`: it changes within.

    No zone has changed its offset twice within so short a time.
    """

    def __init__(self, offset_ms_at: Callable[[int], int]) -> None:
        super().__init__()
        self._offset_ms_at = offset_ms_at

    def __missing__(self, block: int) -> int | None:
        if len(self) >= KEPT:
            self.clear()
        first, last = self._offset_ms_at(block * BLOCK), self._offset_ms_at((block + 1) * BLOCK - 1)
        found = self[block] = first if first == last else None
        return found


class Minutes(dict[int, tuple[str, str] | None]):
    """Holds what the instants of a minute begin and end with, by minutes since 1970 in UTC; `None`: not all alike.

    `between`: what stands between date and time. `mark`: before milliseconds. `suffix`: makes of an offset what a text
    ends with.
    """

    def __init__(
        self, offset_ms_at: Callable[[int], int], between: str, mark: str, suffix: Callable[[int], str]
    ) -> None:
        super().__init__()
        self._offset_ms_at = offset_ms_at
        self._between = between
        self._seconds = [f"{second:02}{mark}" for second in range(60)]
        self._suffix = suffix

    def __missing__(self, minute: int) -> tuple[str, str] | None:
        if len(self) >= KEPT:
            self.clear()
        offset = self._offset_ms_at(minute * MINUTE)
        alike = offset % MINUTE == 0 and offset == self._offset_ms_at((minute + 1) * MINUTE - 1)
        found = self[minute] = self._around(minute + offset // MINUTE, offset) if alike else None
        return found

    def text(self, ms: int) -> str:
        minute, of_minute = divmod(ms, MINUTE)
        around = self[minute]
        if around is None:
            offset = self._offset_ms_at(ms)
            minute, of_minute = divmod(ms + offset, MINUTE)
            around = self._around(minute, offset)
        before, after = around
        return f"{before}{self._seconds[of_minute // SECOND]}{_MILLIS[of_minute % SECOND]}{after}"

    def _around(self, shown_minute: int, offset: int) -> tuple[str, str]:
        return instants.minute_text(shown_minute, self._between), self._suffix(offset)


@cache
def offset_text(offset: int) -> str:
    """Return an offset in milliseconds as `+02:00`; with its seconds, where it has some."""
    sign = "-" if offset < 0 else "+"
    hours, rest = divmod(abs(offset), HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = f":{rest // SECOND:02}" if rest else ""
    return f"{sign}{hours:02}:{minutes:02}{seconds}"


@cache
def names() -> frozenset[str]:
    """Return the names of all zones of the IANA time zone database."""
    return frozenset((resources.files("tzdata") / "zones").read_text("utf-8").split())


@cache
def zone(name: str) -> Zone:
    """Return the zone of a name, by the database that the service brings along: every replica tells the same time.

    Raises `ValueError` with what would be right.
    """
    if name not in names():
        found = get_close_matches(name, names(), 3, 0.6)
        raise ValueError(f'"{shortened(name)}" is no IANA time zone. {advice(found)}')
    with (resources.files("tzdata.zoneinfo").joinpath(*name.split("/"))).open("rb") as file:
        return Zone(name, ZoneInfo.from_file(file, key=name))


def advice(near: list[str]) -> str:
    examples = "Known are names such as Europe/Paris and UTC."
    return f"Near it are {', '.join(near)}." if near else examples
