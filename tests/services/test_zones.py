"""Time zones, against `zoneinfo` itself: what a clock shows, and which instant it means."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.instants import DAY, HOUR, first_ms, iso, last_ms
from services.zones import zone

#: Nights of change, and a day in a zone without any.
NIGHTS = [
    ("Europe/Paris", "2023-03-26"), ("Europe/Paris", "2023-10-29"),
    ("Europe/Paris", "2024-03-31"), ("Europe/Paris", "2024-10-27"),
    ("Europe/Paris", "2025-03-30"), ("Europe/Paris", "2025-10-26"),
    ("America/New_York", "2023-03-12"), ("America/New_York", "2023-11-05"),
    ("America/New_York", "2024-03-10"), ("America/New_York", "2024-11-03"),
    ("America/New_York", "2025-03-09"), ("America/New_York", "2025-11-02"),
    ("Australia/Lord_Howe", "2023-04-02"), ("Australia/Lord_Howe", "2023-10-01"),
    ("Australia/Lord_Howe", "2024-04-07"), ("Australia/Lord_Howe", "2024-10-06"),
    ("Australia/Lord_Howe", "2025-04-06"), ("Australia/Lord_Howe", "2025-10-05"),
    ("Asia/Kathmandu", "2024-06-10"), ("America/Sao_Paulo", "2018-11-04"), ("America/Havana", "2024-11-03"),
    ("Africa/Monrovia", "1972-01-07"), ("Europe/Paris", "1911-03-11"),
]  # fmt: skip


def quarters(name: str, day: str) -> list[datetime]:
    """Each quarter of an hour from noon of the day before, for two days, in UTC."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=12)
    return [start + timedelta(minutes=15 * number) for number in range(192)]


def ms_of(instant: datetime) -> int:
    return int((instant - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


@pytest.mark.parametrize(("name", "day"), NIGHTS)
def test_what_a_clock_shows(name: str, day: str) -> None:
    """With its offset, and without."""
    for instant in quarters(name, day):
        shown = instant.astimezone(ZoneInfo(name))
        assert zone(name).iso(ms_of(instant)) == shown.isoformat(timespec="milliseconds")
        assert zone(name).local()(ms_of(instant)) == shown.replace(tzinfo=None).isoformat(" ", "milliseconds")
        assert zone(name).offset_ms_at(ms_of(instant)) == (shown.utcoffset() or timedelta()) / timedelta(milliseconds=1)


@pytest.mark.parametrize(("name", "day"), NIGHTS)
def test_which_instant_a_time_means(name: str, day: str) -> None:
    """What is skipped is read by the offset before; what occurs twice, by the first or the last."""
    for shown in quarters(name, day):
        text = shown.replace(tzinfo=None).isoformat()
        local = shown.replace(tzinfo=ZoneInfo(name))
        first = ms_of(local.astimezone(UTC))
        twice = local.utcoffset() > local.replace(fold=1).utcoffset()  # type: ignore[operator]
        assert first_ms(text, zone=zone(name)) == first
        assert last_ms(text, zone=zone(name)) == (ms_of(local.replace(fold=1).astimezone(UTC)) if twice else first)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-10-27T02:59:59.9995", "2024-10-27T01:00:00.000Z", "2024-10-27T01:59:59.999Z"),  # 03:00 occurs once
        ("2024-10-27T01:59:59.9995", "2024-10-27T00:00:00.000Z", "2024-10-26T23:59:59.999Z"),
        ("2024-03-31T01:59:59.9995", "2024-03-31T01:00:00.000Z", "2024-03-31T00:59:59.999Z"),
        ("2024-03-31T02:59:59.9995", "2024-03-31T02:00:00.000Z", "2024-03-31T01:59:59.999Z"),  # skipped, 03:00 is not
    ],
)
def test_a_time_between_two_milliseconds(text: str, first: str, last: str) -> None:
    """The one after is the next to pass, not the next that the clock of Paris shows."""
    paris = zone("Europe/Paris")
    assert (iso(first_ms(text, zone=paris)), iso(last_ms(text, zone=paris))) == (first, last)


@pytest.mark.parametrize(
    ("name", "period", "hours"),
    [
        ("Europe/Paris", "2024-03-31", 23),
        ("Europe/Paris", "2024-10-27", 25),
        ("Europe/Paris", "2024-10", 31 * 24 + 1),
        ("Europe/Paris", "2024", 366 * 24),
        ("Australia/Lord_Howe", "2024-04-07", 24.5),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Havana", "2024-11-03", 25),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Pacific/Apia", "2011-W52", 6 * 24),
    ],
)
def test_how_long_a_period_is(name: str, period: str, hours: float) -> None:
    """It ends where the next one begins."""
    first, last = first_ms(period, zone=zone(name)), last_ms(period, zone=zone(name))
    assert last + 1 - first == hours * HOUR


@pytest.mark.parametrize("text", ["2024-03-31T02:30Z", "2024-03-31T02:30+05:00", "2024-03-31 02:30-0130"])
def test_a_time_with_an_offset_is_of_no_zone(text: str) -> None:
    """Whatever the zone."""
    paris = zone("Europe/Paris")
    assert (first_ms(text, zone=paris), last_ms(text, zone=paris)) == (first_ms(text), last_ms(text))


@pytest.mark.parametrize(
    ("name", "ms", "text"),
    [
        ("UTC", 0, "1970-01-01T00:00:00.000Z"),
        ("Etc/UTC", 0, "1970-01-01T00:00:00.000+00:00"),
        ("Europe/London", 0, "1970-01-01T01:00:00.000+01:00"),
        ("Europe/London", 1_704_067_200_000, "2024-01-01T00:00:00.000+00:00"),
        ("Europe/Paris", -2_000_000_000_000, "1906-08-16T20:36:01.000+00:09:21"),
        ("America/New_York", -3_000_000_000_001, "1874-12-07T13:43:57.999-04:56:02"),
        ("Europe/Paris", 253_402_300_800_000, "+010000-01-01T01:00:00.000+01:00"),
        ("Europe/Paris", 253_402_300_800_000 + 200 * DAY, "+010000-07-19T02:00:00.000+02:00"),
        ("Europe/Paris", 10**15, "+033658-09-27T03:46:40.000+02:00"),
        ("Asia/Kathmandu", -62_167_219_200_000 - 1, "0000-01-01T05:41:15.999+05:41:16"),
        ("Asia/Kathmandu", -(10**15), "-029719-04-06T03:54:36.000+05:41:16"),
    ],
)
def test_any_year(name: str, ms: int, text: str) -> None:
    """As ECMAScript writes years; offsets with their seconds; `Z` is written for one zone alone."""
    assert zone(name).iso(ms) == text


def test_utc_is_what_it_was() -> None:
    """The very function, so that nothing is paid for zones where there is none."""
    assert zone("UTC").iso is iso


def test_the_mark_of_fractions() -> None:
    """Spreadsheets of some countries read a comma."""
    assert zone("UTC").local(",")(1_718_000_000_123) == "2024-06-10 06:13:20,123"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("europe/paris", "Europe/Paris"),
        ("Europe/Pari", "Europe/Paris"),
        ("localtime", "IANA"),
        ("../../etc/passwd", "IANA"),
        ("", "such as Europe/Paris"),
        ("+02:00", "IANA"),
        ("\0", "IANA"),
        ("x" * 1000, "…"),
    ],
)
def test_what_is_no_zone(name: str, told: str) -> None:
    """With names that are near."""
    with pytest.raises(ValueError, match="is no IANA time zone") as caught:
        zone(name)
    assert told in str(caught.value)
