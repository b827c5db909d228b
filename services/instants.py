"""Instants: what a caller writes, what a store holds, and their ISO 8601 text.

Inside, time is epoch milliseconds (UTC) as int, of any year. Days are counted by `datetime.date`; `datetime` ends
with the year 9999, cuts fractions at microseconds and knows no whole periods (python-dateutil's `isoparse` is no
better, and reads 2023-W53, which no calendar has, as 2024-W01).
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from math import floor, isfinite
from typing import Any, NamedTuple, Protocol

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = date(1970, 1, 1).toordinal()

#: The Gregorian calendar repeats itself: days, years.
CYCLE_DAYS, CYCLE_YEARS = 146_097, 400

_SECONDS = tuple(f"{second:02}." for second in range(60))
_MILLIS = tuple(f"{ms:03}Z" for ms in range(1000))


def iso(ms: int) -> str:
    """Return the text that JavaScript's `toISOString` prints, and beyond where that stops (year 275760)."""
    minute, ms = divmod(ms, MINUTE)
    second, ms = divmod(ms, SECOND)
    return f"{_minutes[minute]}{_SECONDS[second]}{_MILLIS[ms]}"


class _Minutes(dict[int, str]):
    """Holds `2024-06-10T06:13:` by minutes since 1970, made when asked for. Rows come in order of time."""

    def __missing__(self, minute: int) -> str:
        if len(self) >= 4096:
            self.clear()
        text = self[minute] = minute_text(minute, "T")
        return text


_minutes = _Minutes()


def minute_text(minute: int, between: str) -> str:
    """Return `2024-06-10`, `between`, `06:13:` of a minute counted from 1970-01-01T00:00."""
    day, of_day = divmod(minute, DAY // MINUTE)
    return f"{_day_text(day)}{between}{of_day // 60:02}:{of_day % 60:02}:"


@lru_cache(maxsize=1024)
def _day_text(day: int) -> str:
    """Return `2024-06-10` of a day counted from 1970-01-01."""
    cycle, day_of_cycle = divmod(day + EPOCH - 1, CYCLE_DAYS)
    near = date.fromordinal(day_of_cycle + 1)
    year = near.year + cycle * CYCLE_YEARS
    year_text = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"
    return f"{year_text}-{near.month:02}-{near.day:02}"


_ARGUMENT = re.compile(
    r"""
    (?P<year>[0-9]{4})
    (?: (?P<dash>-?)(?P<month>[0-9]{2})(?:(?P=dash)(?P<day>[0-9]{2}))?
      | (?P<week_dash>-?)W(?P<week>[0-9]{2})(?:(?P=week_dash)(?P<weekday>[0-9]))?
      | -?(?P<ordinal>[0-9]{3})
    )?
    (?P<time>
      [T ](?P<hour>[0-9]{2})(?: :?(?P<minute>[0-9]{2})(?: :?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))? )? )?
      (?: (?P<zulu>Z) | (?P<sign>[-+ ])(?P<offset_hour>[0-9]{2})(?: :?(?P<offset_minute>[0-9]{2}))? )?
    )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?")
_DIGITS_OF_A_DATE = (4, 7, 8)  # 2024, 2024031, 20240131

Parts = Mapping[str, str | None]


class Clock(Protocol):
    """Tells which instant a wall clock means."""

    def instant_of(self, local_ms: int, *, last: bool = False) -> int:
        """Return the instant at which it shows a time (ms since 1970 there): the first, or the `last`."""


class Period(NamedTuple):
    """Milliseconds since 1970-01-01T00:00: the first, the last (of an instant between two, both its neighbours), and
    whether they are in UTC or as a wall clock shows them. `is_time`: not a whole day, or several.
    """

    first: int
    last: int
    is_utc: bool
    is_time: bool


def first_ms(text: str, *, zone: Clock | None = None) -> int:
    """Return the first millisecond of what `text` names (`startAt`), there where it names no offset; `None`: in UTC.

    Raises `ValueError` with the reason.
    """
    period = _span(text)
    if zone is None or period.is_utc:
        return period.first
    if period.is_time:
        # between two, the one after is the next to pass: a clock that is set back may show another next
        return zone.instant_of(period.last) + period.first - period.last
    return zone.instant_of(period.first)


def last_ms(text: str, *, zone: Clock | None = None) -> int:
    """Return the last millisecond of what `text` names (`endAt`), there where it names no offset; `None`: in UTC.

    Raises `ValueError` with the reason.
    """
    period = _span(text)
    if zone is None or period.is_utc:
        return period.last
    if period.is_time:
        return zone.instant_of(period.last, last=True)
    return zone.instant_of(period.last + 1) - 1  # a day ends where the next begins, whatever the clock does between


def _span(text: str) -> Period:
    """Return the period that a text names."""
    if _NUMBER.fullmatch(text) and not (text.isdecimal() and len(text) in _DIGITS_OF_A_DATE):
        raise ValueError(f"{text} is a bare number; an ISO 8601 date is wanted, such as 2024-06-10T06:13:20.000Z")
    parts = _ARGUMENT.fullmatch(text)
    if parts is None:
        raise ValueError(f'"{text}" is no ISO 8601 date, such as 2024-06-10 or 2024-06-10T06:13:20.000Z')
    try:
        return _period(parts.groupdict())
    except ValueError as error:
        raise ValueError(f'"{text}" is no date: {error}') from error


def _period(parts: Parts) -> Period:
    first, last = _days(parts)
    if parts["time"] is None:
        return Period((first - EPOCH) * DAY, (last - EPOCH + 1) * DAY - 1, is_utc=False, is_time=False)
    if first != last:
        raise ValueError("a time needs a whole date before it")
    ms, finer = _time(parts)
    ms += (first - EPOCH) * DAY - _offset(parts)
    return Period(ms + finer, ms, is_utc=parts["zulu"] is not None or parts["sign"] is not None, is_time=True)


def _days(parts: Parts) -> tuple[int, int]:
    """Return the first and last day, counted as `date.toordinal` does."""
    year = _int(parts["year"])
    new_year = date(year, 1, 1).toordinal()
    if parts["week"] is not None:
        return _week(year, _int(parts["week"]), parts["weekday"])
    if parts["ordinal"] is not None:
        return _day_of_year(new_year, _int(parts["ordinal"]), date(year, 12, 31).toordinal())
    if parts["month"] is None:
        return new_year, date(year, 12, 31).toordinal()
    return _month(year, _int(parts["month"]), parts["day"])


def _week(year: int, week: int, weekday: str | None) -> tuple[int, int]:
    monday = date.fromisocalendar(year, week, 1).toordinal()
    if weekday is None:
        return monday, monday + 6
    if not "1" <= weekday <= "7":
        raise ValueError("day of week must be in 1..7")
    day = monday + int(weekday) - 1
    return day, day


def _day_of_year(new_year: int, ordinal: int, last: int) -> tuple[int, int]:
    day = new_year + ordinal - 1
    if not new_year <= day <= last:
        raise ValueError(f"day of year must be in 1..{last - new_year + 1}")
    return day, day


def _month(year: int, month: int, day: str | None) -> tuple[int, int]:
    first = date(year, month, 1).toordinal()
    if day is None:
        return first, first + monthrange(year, month)[1] - 1
    only = date(year, month, int(day)).toordinal()
    return only, only


def _time(parts: Parts) -> tuple[int, bool]:
    """Return the milliseconds of the day, and whether the text goes on after them. 24:00 is the end of the day."""
    hour, minute, second = (_int(parts[name]) for name in ("hour", "minute", "second"))
    fraction = parts["fraction"] or ""
    ms, finer = int(fraction[:3].ljust(3, "0")), fraction[3:].strip("0") != ""
    of_day = hour * HOUR + minute * MINUTE + second * SECOND + ms
    if hour > 24 or of_day + finer > DAY:
        raise ValueError("hour must be in 0..23, or the time 24:00")
    if minute > 59 or second > 59:
        raise ValueError("minute and second must be in 0..59")
    return of_day, finer


def _offset(parts: Parts) -> int:
    """Return milliseconds; 0 without an offset: UTC. A space is a `+` that a query string lost."""
    hour, minute = _int(parts["offset_hour"]), _int(parts["offset_minute"])
    if hour > 23 or minute > 59:
        raise ValueError("offset must be within 23:59")
    return (hour * HOUR + minute * MINUTE) * (-1 if parts["sign"] == "-" else 1)


def _int(digits: str | None) -> int:
    return int(digits or 0)


#: What Elasticsearch takes as `strict_date_optional_time`, but for names of time zones (`Europe/Paris`).
_STORED = re.compile(
    r"""
    (?P<year>-?[0-9]{4})
    (?: -(?P<month>[0-9]{2})
      (?: -(?P<day>[0-9]{2})
        (?: T
          (?: (?P<hour>[0-9]{2})
            (?: :(?P<minute>[0-9]{2}) (?: :(?P<second>[0-9]{2}) (?:[.,](?P<fraction>[0-9]{1,9}))? )? )?
            (?: Z | UTC | GMT | UT
              | (?P<sign>[-+])(?P<offset_hour>[0-9]{2})
                (?: (?P<colon>:?)(?P<offset_minute>[0-9]{2}) (?:(?P=colon)(?P<offset_second>[0-9]{2}))? )?
            )?
          )?
        )?
      )?
    )?
    """,
    re.VERBOSE,
)
_STORED_EPOCH = re.compile(r"(?P<ms>-?[0-9]{1,19})(?:\.(?P<fraction>[0-9]{0,6}))?")
#: Elasticsearch keeps a long, and refuses its least.
_LONGEST = 2**63 - 1


def instant(stored: Any) -> int | None:
    """Return the instant of a stored `measuredAt`, as a `date` field of Elasticsearch reads it;
    `None`: it cannot.

    Its format is `strict_date_optional_time||epoch_millis`, and is applied to the text of an
    integer as well: four digits are a year. An array is what it holds, if that is one.
    """
    if isinstance(stored, list):
        held = [item for item in stored if item is not None]
        return instant(held[0]) if len(held) == 1 else None
    if isinstance(stored, str):
        return _stored_ms(stored)
    if isinstance(stored, bool) or not isinstance(stored, int | float) or not isfinite(stored):
        return None
    if isinstance(stored, int) and abs(stored) <= 9999:
        return _stored_ms(str(stored))
    return _within_long(floor(stored))


def _stored_ms(text: str) -> int | None:
    date_time = _STORED.fullmatch(text)
    if date_time is not None:
        return _stored_date_time(date_time.groupdict())
    epoch = _STORED_EPOCH.fullmatch(text)
    if epoch is None:
        return None
    ms = _within_long(int(epoch["ms"]))
    below = text.startswith("-") and (epoch["fraction"] or "").strip("0") != ""
    return None if ms is None else ms - below


def _stored_date_time(parts: Parts) -> int | None:
    cycle, year = divmod(_int(parts["year"]), CYCLE_YEARS)
    month, day = (int(parts[name] or 1) for name in ("month", "day"))
    hour, minute, second = (_int(parts[name]) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        return None
    offset = _stored_offset(parts)
    try:
        near = date(year + CYCLE_YEARS, month, day).toordinal()
    except ValueError:
        return None
    if offset is None:
        return None
    days = near + (cycle - 1) * CYCLE_DAYS - EPOCH
    ms = int((parts["fraction"] or "")[:3].ljust(3, "0"))
    return days * DAY + hour * HOUR + minute * MINUTE + second * SECOND + ms - offset


def _stored_offset(parts: Parts) -> int | None:
    hour, minute, second = (_int(parts[name]) for name in ("offset_hour", "offset_minute", "offset_second"))
    offset = hour * HOUR + minute * MINUTE + second * SECOND
    if offset > 18 * HOUR or minute > 59 or second > 59:
        return None
    return -offset if parts["sign"] == "-" else offset


def _within_long(ms: int) -> int | None:
    return ms if -_LONGEST <= ms <= _LONGEST else None
