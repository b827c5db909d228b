"""The spelling of intervals, and where they begin by the clocks of zones."""

import random
from datetime import UTC, datetime

import pytest

from services.layouts.intervals import Intervals, unit
from services.zones import zone

MINUTE = 60_000

SPELLINGS = (
    *("1s", "2s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "3h", "4h", "6h", "8h", "12h"),
    *("1d", "1w", "1M", "1y"),
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    "text",
    ["1s", "2s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "1w", "1M", "1y"],
)
def test_spellings(text: str) -> None:
    """A divisor of the next unit, or one of a calendar."""
    found = unit(text)
    assert f"{found.many}{found.name}" == text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("60m", "1h"), ("24h", "1d"), ("60s", "1m"), ("120m", "2h"), ("7d", "1w"), ("12M", "1y"), ("3600s", "1h"),
        ("90s", "There are"), ("7m", "There are"), ("5h", "There are"), ("2d", "There are"), ("0m", "There are"),
        ("h", "There are"), ("1H", "There are"), ("", "There are"), ("1.5h", "There are"), ("-1h", "There are"),
        ("168h", "1w"), ("48h", "There are"),
    ],
)  # fmt: skip
def test_other_spellings(text: str, right: str) -> None:
    """The error names the right one, or all."""
    with pytest.raises(ValueError, match=right):
        unit(text)


@pytest.mark.parametrize(
    ("name", "interval", "at", "begin", "end"),
    [
        # a day of 23 hours, and one of 25
        ("Europe/Berlin", "1d", "2024-03-31T12:00", "2024-03-30T23:00", "2024-03-31T22:00"),
        ("Europe/Berlin", "1d", "2024-10-27T12:00", "2024-10-26T22:00", "2024-10-27T23:00"),
        # an hour that occurs twice: 02:00 to 03:00
        ("Europe/Berlin", "1h", "2024-10-27T00:30", "2024-10-27T00:00", "2024-10-27T01:00"),
        ("Europe/Berlin", "1h", "2024-10-27T01:30", "2024-10-27T01:00", "2024-10-27T02:00"),
        # six hours of seven, and of five
        ("Europe/Berlin", "6h", "2024-10-27T01:30", "2024-10-26T22:00", "2024-10-27T05:00"),
        ("Europe/Berlin", "6h", "2024-10-26T22:30", "2024-10-26T22:00", "2024-10-27T05:00"),
        ("Europe/Berlin", "6h", "2024-03-31T03:30", "2024-03-30T23:00", "2024-03-31T04:00"),
        # 02:00 is skipped: two hours begin at the skip
        ("Europe/Berlin", "2h", "2024-03-31T01:30", "2024-03-31T01:00", "2024-03-31T02:00"),
        ("Europe/Berlin", "2h", "2024-03-31T00:30", "2024-03-30T23:00", "2024-03-31T01:00"),
        ("America/New_York", "1h", "2024-11-03T06:10", "2024-11-03T06:00", "2024-11-03T07:00"),
        ("America/New_York", "1d", "2024-03-10T12:00", "2024-03-10T05:00", "2024-03-11T04:00"),
        # thirty minutes back at 02:00, to 01:30: an hour of ninety minutes, and half hours of thirty
        ("Australia/Lord_Howe", "1h", "2024-04-06T15:15", "2024-04-06T14:00", "2024-04-06T15:30"),
        ("Australia/Lord_Howe", "1h", "2024-04-06T14:15", "2024-04-06T14:00", "2024-04-06T15:30"),
        ("Australia/Lord_Howe", "30m", "2024-04-06T15:15", "2024-04-06T15:00", "2024-04-06T15:30"),
        # and forward at 02:00, to 02:30
        ("Australia/Lord_Howe", "1h", "2024-10-05T15:40", "2024-10-05T15:30", "2024-10-05T16:00"),
        ("Australia/Lord_Howe", "1h", "2024-10-05T15:30", "2024-10-05T15:30", "2024-10-05T16:00"),
        ("Asia/Kathmandu", "1h", "2024-06-10T00:20", "2024-06-10T00:15", "2024-06-10T01:15"),
        ("Asia/Kathmandu", "1d", "2024-06-10T00:20", "2024-06-09T18:15", "2024-06-10T18:15"),
        # a midnight that is skipped, and one that occurs twice
        ("America/Sao_Paulo", "1d", "2018-11-04T12:00", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("America/Sao_Paulo", "1d", "2018-11-04T02:59", "2018-11-03T03:00", "2018-11-04T03:00"),
        ("America/Havana", "1d", "2024-11-03T05:30", "2024-11-03T04:00", "2024-11-04T05:00"),
        ("America/Havana", "1d", "2024-11-03T04:30", "2024-11-03T04:00", "2024-11-04T05:00"),
        # a day that nobody had
        ("Pacific/Apia", "1d", "2011-12-30T12:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        ("UTC", "1w", "2024-06-13T12:00", "2024-06-10T00:00", "2024-06-17T00:00"),
        ("UTC", "1M", "2024-02-29T12:00", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("UTC", "1y", "2024-02-29T12:00", "2024-01-01T00:00", "2025-01-01T00:00"),
        ("Europe/Berlin", "1M", "2024-03-15T12:00", "2024-02-29T23:00", "2024-03-31T22:00"),
        ("UTC", "1M", "1969-12-31T23:59", "1969-12-01T00:00", "1970-01-01T00:00"),
    ],
)  # fmt: skip
def test_where_they_begin_and_end(name: str, interval: str, at: str, begin: str, end: str) -> None:
    """Instants of UTC."""
    assert Intervals(unit(interval), zone(name)).around(ms(at)) == (ms(begin), ms(end))


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
         "America/Havana", "America/St_Johns", "Pacific/Apia", "Africa/Cairo", "UTC"]  # fmt: skip


@pytest.mark.parametrize("name", ZONES)
def test_they_cover_time_without_overlap(name: str) -> None:
    """Every instant of an interval has the same, and the next begins at its end."""
    chance = random.Random(7)
    own = zone(name)
    nights = [at for at in range(ms("2010-01-01"), ms("2025-01-01"), 6 * 60 * MINUTE)
              if own.offset_ms_at(at) != own.offset_ms_at(at + 6 * 60 * MINUTE)]  # fmt: skip
    for text in ("1s", "15m", "30m", "1h", "2h", "6h", "12h", "1d", "1w", "1M", "1y"):
        found = Intervals(unit(text), own)
        for _ in range(60):
            at = (chance.choice(nights) if nights else ms("2024-06-10")) + chance.randrange(-12 * 60, 18 * 60) * MINUTE
            begin, end = found.around(at)
            assert begin <= at < end
            for within in (begin, end - 1, chance.randrange(begin, end)):
                assert found.around(within) == (begin, end), (text, at)


def test_years_beyond_9999() -> None:
    """The calendar goes on."""
    far = 253_402_300_800_000 + 40 * 86_400_000
    begin, end = Intervals(unit("1M"), zone("UTC")).around(far)
    assert (begin, end) == (253_402_300_800_000 + 31 * 86_400_000, 253_402_300_800_000 + 60 * 86_400_000)
