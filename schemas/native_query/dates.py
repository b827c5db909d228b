"""Dates of a query: `now` is the instant of the request, sealed in its link.

Elasticsearch takes its own clock for each search, and an export is many searches: rows that
`now-1h` counted are gone when they are read. The date math that follows is left to it, after the
instant: `2024-06-10T06:13:20.000Z||-1h/d`.
"""

from collections.abc import Mapping
from typing import Any

from schemas.native_query import patterns
from schemas.native_query.walk import JSON, Walk
from services.errors import InvalidFilter
from services.instants import iso

BOUNDS = ("gt", "gte", "lt", "lte", "from", "to")

#: The format of the instant; before those of the caller.
FORMAT = "strict_date_time"

#: Where all bounds are instants.
FORMATS = "strict_date_optional_time"


def at_now(text: Any, now_ms: int) -> str | None:
    """Return date math on the instant; `None`: it names no `now`."""
    found = patterns.NOW.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else f"{iso(now_ms)}||{found[1]}"


def fixed(walk: Walk, judged: JSON, path: str) -> None:
    """Return a `range` with fixed bounds, and how they are written."""
    moving = {name: text for name in BOUNDS if (text := at_now(judged.get(name), walk.now_ms)) is not None}
    if not moving:
        return
    others = [name for name in BOUNDS if judged.get(name) is not None and name not in moving]
    if others and not judged.get("format"):
        reason = f'stands beside now: say how it is written, as {{"format": "{FORMATS}||epoch_millis"}}.'
        raise InvalidFilter(f"{path}.{others[0]}", "range", reason)
    judged.update(moving)
    judged["format"] = f"{FORMAT}||{judged['format']}" if others else FORMATS


def origin(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    """Return from where a score decays."""
    moves = patterns.NOW.fullmatch(str(judged.get("origin", ""))) is not None
    if walk.scored and moves:
        reason = "is another instant each time it is asked, and min_score goes by it: write the instant."
        raise InvalidFilter(f"{path}.origin", None, reason)
