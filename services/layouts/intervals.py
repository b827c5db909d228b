"""Intervals of time: how they are spelled, and where they begin and end by the clocks of a zone."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from services.instants import CYCLE_DAYS, DAY, EPOCH, HOUR, MINUTE, SECOND
from services.zones import Zone

#: The units of a clock, in milliseconds, and how many of each make the next.
CLOCK = {"s": (SECOND, 60), "m": (MINUTE, 60), "h": (HOUR, 24)}

#: The units of a calendar, in days, at least.
CALENDAR = {"d": 1, "w": 7, "M": 28, "y": 365}

#: Seconds and months of each unit, by which another spelling of the same is found.
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
MONTHS = {"M": 1, "y": 12}

#: Days from a Monday to 1970-01-01.
THURSDAY = 3

_SPELLING = re.compile(r"([0-9]{1,9})([smhdwMy])")


@dataclass(frozen=True)
class Unit:
    """An interval as it is spelled: so many of a unit; those of a calendar are one."""

    many: int
    name: str

    @property
    def is_clock(self) -> bool:
        return self.name in CLOCK

    @property
    def least_ms(self) -> int:
        """The milliseconds of an interval, without what clocks do; of the shortest, where a calendar has several."""
        return self.many * (CLOCK[self.name][0] if self.is_clock else CALENDAR[self.name] * DAY)


def unit(text: str) -> Unit:
    """Return the interval that a text spells. Raises `ValueError` with what would be right."""
    found = _SPELLING.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError(f'"{text[:20]}" is no interval. {spellings()}')
    many, name = int(found[1]), found[2]
    if is_spelling(many, name):
        return Unit(many, name)
    right = spelled(many, name)
    advice = f"The same is {right}." if right else spellings()
    raise ValueError(f'"{text}" is no interval that begins at the same times each {larger(name)}. {advice}')


def is_spelling(many: int, name: str) -> bool:
    if name in CLOCK:
        each = CLOCK[name][1]
        return many < each and each % many == 0
    return many == 1


def spelled(many: int, name: str) -> str | None:
    """Return the spelling of an interval of this length; `None`: it has none."""
    lengths = SECONDS if name in SECONDS else MONTHS
    length = many * lengths[name]
    for other, each in lengths.items():
        if length % each == 0 and is_spelling(length // each, other):
            return f"{length // each}{other}"
    return None


def larger(name: str) -> str:
    return {"s": "minute", "m": "hour", "h": "day"}.get(name, "year")


def spellings() -> str:
    """Return the sentence that says which there are."""
    found = [",".join(str(n) for n in range(1, each) if each % n == 0) + name for name, (_, each) in CLOCK.items()]
    return f"There are {'; '.join(found)}; 1d, 1w, 1M and 1y."


class Intervals:
    """Finds the interval of an instant, both in epoch milliseconds: where it begins, and where the next does.

    Hours and less begin at the latest instant at which clocks showed a multiple of them since midnight, or skipped
    one; days and more at the first instant of a date.
    """

    def __init__(self, unit: Unit, zone: Zone) -> None:
        self._unit = unit
        self._zone = zone
        self._ms = unit.least_ms

    def around(self, ms: int) -> tuple[int, int]:
        """Return the begin and the end of the interval of an instant."""
        if self._unit.is_clock:
            return self._begin(ms), self._end(ms)
        first = self._first_day((ms + self._zone.offset_ms_at(ms)) // DAY)
        begin, following = self._midnight(first), self._next_day(first)
        while (end := self._midnight(following)) <= ms:  # a date that a clock went back to belongs to the one after
            begin, following = end, self._next_day(following)
        return begin, end

    def count(self, first_ms: int, last_ms: int) -> int:
        """Return about how many intervals there are from that of one instant to that of another: not less, but for an
        hour that occurs twice.
        """
        return (self.around(last_ms)[0] - self.around(first_ms)[0]) // self._ms + 1

    def _begin(self, ms: int) -> int:
        offset = self._zone.offset_ms_at(ms)
        shown = (ms + offset) // self._ms * self._ms
        begin = shown - offset
        if self._zone.offset_ms_at(begin) == offset:
            return begin
        changed = self._changed(begin, ms)
        before = self._zone.offset_ms_at(changed - 1)
        skipped = before < offset and shown >= changed + before
        return changed if skipped else self._begin(changed - 1)

    def _end(self, ms: int) -> int:
        offset = self._zone.offset_ms_at(ms)
        end = ((ms + offset) // self._ms + 1) * self._ms - offset
        if self._zone.offset_ms_at(end) == offset:
            return end
        changed = self._first_changed(ms, end)
        return changed if self._begin(changed) == changed else self._end(changed)

    def _changed(self, before: int, after: int) -> int:
        """Return the first instant that has the offset of `after`, of two with different ones."""
        offset = self._zone.offset_ms_at(after)
        while after - before > 1:
            middle = (before + after) // 2
            if self._zone.offset_ms_at(middle) == offset:
                after = middle
            else:
                before = middle
        return after

    def _first_changed(self, before: int, after: int) -> int:
        """Return the first instant that has another offset than `before`."""
        offset = self._zone.offset_ms_at(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._zone.offset_ms_at(middle) == offset:
                before = middle
            else:
                after = middle
        return after

    def _midnight(self, day: int) -> int:
        """Return the first instant of a day, counted from 1970-01-01; where the clock skips midnight, the skip."""
        local = day * DAY
        found = self._zone.instant_of(local)
        offset = self._zone.offset_ms_at(found)
        if found + offset == local:
            return found
        return self._changed(found - (offset - (local - found)) - 1, found)

    def _first_day(self, day: int) -> int:
        """Return the first day of the week, month or year of a day."""
        if self._unit.name == "d":
            return day
        if self._unit.name == "w":
            return day - (day + THURSDAY) % 7
        near, cycle = calendar_date(day)
        return day_of(near.replace(day=1) if self._unit.name == "M" else near.replace(month=1, day=1), cycle)

    def _next_day(self, first: int) -> int:
        """Return the first day of the next."""
        if self._unit.name in "dw":
            return first + CALENDAR[self._unit.name]
        near, _ = calendar_date(first)
        if self._unit.name == "M":
            return first + monthrange(near.year, near.month)[1]
        return first + 365 + (monthrange(near.year, 2)[1] == 29)


def calendar_date(day: int) -> tuple[date, int]:
    """Return the date of a day, counted from 1970-01-01, and the cycles of the calendar to add."""
    cycle, of_cycle = divmod(day + EPOCH - 1, CYCLE_DAYS)
    found = date.fromordinal(of_cycle + 1 + CYCLE_DAYS)
    return found, cycle - 1


def day_of(found: date, cycle: int) -> int:
    return found.toordinal() + cycle * CYCLE_DAYS - EPOCH
