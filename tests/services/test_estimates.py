"""What is told of a file before the click."""

import pytest

from services.columns import columns
from services.estimates import Estimate, estimate
from services.formats import Maker
from services.formats.layout import layout
from services.measures import ExportRequest, Measure, Model, Slot, Source, Target
from services.options import Options
from services.stores.port import Count, Notice, without_instant

TABLE = columns("assets", Model("M", (Slot("t", "t"),)), [], {"t": {"x": {"type": "float"}}})
SAMPLE = [Measure(f"m{row:02}", Source(measuredAt=1_718_000_000_000, type="t", values={"x": 1})) for row in range(50)]

HEADER = len("Measure Id,Measured At,Measured At ISO,Measure Type,Device Id,Device Model,Asset Id,Asset Model,t.x\n")
ROW = len("m00,1718000000000,2024-06-10T06:13:20.000Z,t,,,,,\n")


def told(count: Count, *, size: int | None = None, offset: int = 0, **options: object) -> Estimate:
    found = Options(**options)  # type: ignore[arg-type]
    request = ExportRequest(export_id="x", target=Target("e", "assets", "a"), options=found, size=size, offset=offset)
    return estimate(request, count, lambda: Maker().writer(request, layout(TABLE, found)))


def ids(found: Estimate) -> list[str]:
    return [notice.id for notice in found.notices]


@pytest.mark.parametrize(
    ("count", "size", "bytes"),
    [
        (Count(1000, True, sample=SAMPLE), None, HEADER + 1000 * ROW),
        (Count(1000, True, sample=SAMPLE), 10, HEADER + 10 * ROW),
        (Count(1000, True, sample=SAMPLE), 0, HEADER),
        (Count(0, True), None, HEADER),
        (Count(1000, True), None, None),
    ],
)
def test_bytes(count: Count, size: int | None, bytes: int | None) -> None:
    """By the rows of a sample; unknown without one."""
    sample = [Measure(each.id, Source(each.source.measuredAt, "t")) for each in count.sample]
    found = told(Count(count.rows, count.exact, sample=sample), size=size)
    assert (found.bytes, found.rows) == (bytes, min(count.rows, count.rows if size is None else size))


def test_bytes_of_an_archive() -> None:
    """About: small samples pack worse."""
    found = told(Count(1_000_000, True, sample=SAMPLE), format="zip").bytes
    assert found is not None
    assert 1_000_000 < found < 1_000_000 * ROW


@pytest.mark.parametrize(
    ("rows", "header", "warnings"),
    [
        (1_048_575, True, []),
        (1_048_576, True, ["format.several_sheets"]),
        (1_048_576, False, []),
        (5_000_000, True, ["format.several_sheets"]),
    ],
)
def test_more_rows_than_a_sheet_holds(rows: int, header: bool, warnings: list[str]) -> None:
    """Of XLSX alone."""
    assert ids(told(Count(rows, True, sample=SAMPLE), format="xlsx", header=header)) == warnings
    assert ids(told(Count(rows, True, sample=SAMPLE), header=header)) == []


@pytest.mark.parametrize("format", ["zip", "xlsx"])
def test_an_archive_of_more_than_4_gib(format: str) -> None:
    """Would break off: the way out is said."""
    (notice,) = [
        each
        for each in told(Count(100_000_000, True, sample=SAMPLE), format=format).notices
        if each.id == "format.too_large"
    ]
    assert "compress gzip" in notice.message
    assert "format.too_large" not in ids(told(Count(100_000_000, True, sample=SAMPLE)))


def test_a_filter_that_reads_everything() -> None:
    """There may be fewer rows than are told."""
    found = told(Count(1000, False, sample=SAMPLE), size=10)
    assert (found.exact, found.notices[0].count) == (False, 1000)
    assert ids(found) == ["filter.reads_everything"]


def test_notices_of_the_store_come_first() -> None:
    """As it gave them."""
    own = without_instant(2)
    assert told(Count(5, False, own, SAMPLE)).notices[: len(own)] == own
    assert isinstance(own[0], Notice)


def test_a_sample_that_a_sheet_does_not_hold() -> None:
    """Is no reason to refuse: the file may not have these rows."""
    long = Measure("m", Source(measuredAt=0, type="t", values={"x": "y" * 40_000}))
    assert told(Count(5, True, sample=[long]), format="xlsx").bytes is None
