"""Every statement of an export in order of time is served by an index, in its order."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from services.filters.koncorde.nodes import Equals, Has, Item, Not, Or, Regexp
from services.measures import ExportRequest, Kind, SortKey, Target
from services.scheduling.cpu_turn import CpuTurns
from services.scheduling.priority_semaphore import PrioritySemaphore
from services.stores.sqlite.reading import SqliteReading
from services.stores.sqlite.selection import select
from services.stores.sqlite.snapshot import Snapshot
from tests.services.stores.sqlite.conftest import NOON, Database, measure, request

ASC, DESC = (SortKey("measuredAt"),), (SortKey("measuredAt", "desc"),)
TARGETS: dict[Kind, Target] = {"assets": Target("e", "assets", "A-1"), "devices": Target("e", "devices", "D-1")}


def plans(database: Database, asked: ExportRequest) -> Iterator[str]:
    """Of all that is asked of measures to open and read it; what `EXPLAIN QUERY PLAN` says, a text a statement."""
    said: list[str] = []
    with contextlib.closing(Snapshot(database.path, CpuTurns().share())) as view:
        connection = view.connection
        connection.set_trace_callback(said.append)
        reading = SqliteReading(
            view, asked, selection=select(connection, asked), order=None, sorts=PrioritySemaphore(1)
        )
        assert sum(len(page) for page in reading.pages()) > 0
        reading.matching()
        connection.set_trace_callback(None)
        for statement in said:
            if "FROM measures" in statement:
                yield "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))


@pytest.mark.parametrize("kind", ["assets", "devices"])
@pytest.mark.parametrize("sort", [ASC, DESC])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"start_ms": NOON, "end_ms": NOON + 9},
        {"start_ms": NOON + 1},
        {"type": "temperature"},
        {"offset": 3},
        {"offset": 3, "size": 2, "type": "temperature", "end_ms": NOON + 8},
        {"filter": Equals("values.temperature", 1), "start_ms": NOON},
        {"filter": Not(Or((Item("values.tags", "x"), Regexp("type", "^p", "", "^p")))), "type": "temperature"},
        {"filter": Not(Has("_id.x")), "end_ms": NOON + 9},
    ],
)
def test_indexes_serve_every_statement(
    database: Database, kind: Kind, sort: tuple[SortKey, ...], options: dict[str, Any]
) -> None:
    """Target and time are sought in an index, nothing is scanned and nothing sorted."""
    database.load(measures=[measure(f"m{number}", NOON + number) for number in range(10)])
    found = list(plans(database, request(target=TARGETS[kind], sort=sort, **options)))
    column = {"assets": "asset", "devices": "device"}[kind]
    direction = "up" if sort is ASC else "down"
    read = found[-2] if "filter" in options else found[-1]
    assert f"USING INDEX {column}_{direction} ({column}=? AND at>? AND at<?)" in read
    assert [plan for plan in found if "TEMP B-TREE" in plan or "SCAN measures" in plan] == []


@pytest.mark.parametrize("sort", [ASC, DESC])
def test_rows_that_are_skipped_or_counted_are_not_read(database: Database, sort: tuple[SortKey, ...]) -> None:
    """Indexes hold all that these need."""
    database.load(measures=[measure(f"m{number}", NOON + number) for number in range(10)])
    *before, read = plans(database, request(sort=sort, offset=3, type="temperature"))
    assert len(before) == 3
    assert [plan for plan in before if "COVERING INDEX" not in plan] == []
    assert "COVERING" not in read
