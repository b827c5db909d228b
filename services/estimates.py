"""Estimates: what a person wants to know of a file before the click, from a count and a few rows."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

from services.errors import InvalidArgument
from services.formats import Archived, Format
from services.formats.archive import MOST_BYTES
from services.formats.xlsx import MOST_ROWS
from services.measures import ExportRequest, Measure
from services.stores.port import Count, Notice


@dataclass(frozen=True)
class Estimate:
    """Tells of a file its rows (`exact`, or so many at most), about its bytes (`None`: unknown), and what to heed."""

    rows: int
    exact: bool
    bytes: int | None
    notices: tuple[Notice, ...]


def estimate(request: ExportRequest, count: Count, make: Callable[[], Format] | None) -> Estimate:
    """Return the estimate of a file that a format of `make` would write; `None`: its bytes are not told."""
    rows = request.rows(count.rows)
    if make is None or request.collapse is not None or request.options.layout == "split":
        whole, unpacked = None, None
    else:
        whole, unpacked = sizes(make, count, rows)
    notices = (*count.notices, *of_sheets(request, rows), *of_archive(request, unpacked), *of_filter(count))
    return Estimate(rows, count.exact and request.collapse is None, whole, notices)


def of_joined(request: ExportRequest, count: Count, most: int) -> Estimate:
    """Return the estimate of a file whose rows are joined of measures: so many at most; its bytes are not told."""
    rows = request.rows(most)
    return Estimate(rows, False, None, (*count.notices, *of_sheets(request, rows), *of_filter(count)))


def sizes(make: Callable[[], Format], count: Count, rows: int) -> tuple[int | None, int | None]:
    """Return about how many bytes a file of so many rows has, and its archive before packing; `None`: unknown."""
    if rows and not count.sample:
        return None, None
    sample = count.sample
    if make().rows_at_once < len(sample):  # rows so wide that whoever asks for a link would wait
        return None, None
    part = sample[: len(sample) // 2]
    frame, unpacked_frame = written(make(), ())
    try:
        less, unpacked_less = written(make(), part)
        more, unpacked_more = written(make(), sample)
    except InvalidArgument:  # the sample may hold rows that the file does not
        return None, None
    each = max(1, len(sample) - len(part))  # the later rows, which are packed as those before them let it
    return frame + (more - less) * rows // each, unpacked_frame + (unpacked_more - unpacked_less) * rows // each


def written(format: Format, rows: Sequence[Measure]) -> tuple[int, int]:
    """Return the bytes of a file of these rows, and of its archive before packing, 0 if it is none."""
    own = [copy(row) for row in rows]  # a format decodes documents in place
    size = len(format.begin()) + len(format.page(own, lambda: None)) + len(format.end())
    return size, format.unpacked_bytes if isinstance(format, Archived) else 0


def of_sheets(request: ExportRequest, rows: int) -> Sequence[Notice]:
    if request.options.format != "xlsx" or rows <= MOST_ROWS - request.options.header:
        return ()
    sheets = -(-rows // (MOST_ROWS - request.options.header))
    return (Notice("format.several_sheets", rows, f"A sheet holds {MOST_ROWS:,} rows: the file has {sheets} sheets."),)


def of_archive(request: ExportRequest, unpacked: int | None) -> Sequence[Notice]:
    if unpacked is None or unpacked <= MOST_BYTES:
        return ()
    message = (
        f"About {unpacked / 2**30:.1f} GiB are to be packed, and {request.options.format} holds 4: the download would "
        "break off. Format csv, with compress gzip, holds any number of rows."
    )
    return (Notice("format.too_large", unpacked, message),)


def of_filter(count: Count) -> Sequence[Notice]:
    if count.exact:
        return ()
    message = f"The filter is decided while {count.rows:,} measures are read: the file may have fewer rows, or none."
    return (Notice("filter.reads_everything", count.rows, message),)
