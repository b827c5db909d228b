"""The selection of an export, before its filter: its target, range and type, as SQL over the indexes."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from services.measures import ExportRequest, Kind, Slot
from services.stores.sqlite import schema

#: Epoch ms of any stored instant lie within.
FIRST_MS, LAST_MS = -(2**63), 2**63 - 1

#: The columns and indexes of a kind of target.
COLUMN: Mapping[Kind, str] = {"assets": "asset", "devices": "device"}

#: No row: no key is 0.
NOBODY = 0

#: The slots of a target, each found by a step into the index beyond the one before.
SLOTS = """
WITH RECURSIVE each (slot) AS (
    SELECT min({column}_slot) FROM measures INDEXED BY {column}_slots WHERE {column} = ?1
    UNION ALL
    SELECT (SELECT min({column}_slot) FROM measures INDEXED BY {column}_slots
            WHERE {column} = ?1 AND {column}_slot > each.slot)
    FROM each WHERE slot IS NOT NULL
)
SELECT key, name FROM each JOIN keys ON key = slot
"""

COUNT = """
SELECT count(*) FROM measures INDEXED BY {column}_slots WHERE {column} = ? AND {column}_slot = ? AND at BETWEEN ? AND ?
"""


@dataclass(frozen=True)
class Selection:
    """Selects rows. `counts`: rows by slot and type as stored, with the key of the pair; only those in the range."""

    column: str
    target: int
    start_ms: int
    end_ms: int
    counts: Mapping[tuple[int, Slot], int]
    of_type: bool

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    @property
    def slots(self) -> Collection[Slot]:
        return {slot for _, slot in self.counts}

    @property
    def where(self) -> str:
        """The condition, decided in the index alone. Its values are `parameters`."""
        condition = f"{self.column} = ? AND at BETWEEN ? AND ?"
        if self.of_type:
            slots = [key for key, _ in self.counts] or [NOBODY]  # with an empty list SQLite knows no way by an index
            condition += f" AND {self.column}_slot IN ({','.join(map(str, slots))})"
        return condition

    @property
    def parameters(self) -> tuple[int, int, int]:
        return self.target, self.start_ms, self.end_ms

    def before(self, at: int) -> "Selection":
        """Return the part before an instant, which is included; with the counts of the whole."""
        return replace(self, end_ms=at)

    def after(self, at: int) -> "Selection":
        """Return the part after an instant, which is included; with the counts of the whole."""
        return replace(self, start_ms=at)


def select(connection: sqlite3.Connection, request: ExportRequest) -> Selection:
    target = request.target
    column = COLUMN[target.kind]
    found = schema.key(connection, target.engine, target.kind, target.id) or NOBODY
    start_ms = FIRST_MS if request.start_ms is None else request.start_ms
    end_ms = LAST_MS if request.end_ms is None else request.end_ms
    counts = {}
    for key, slot in occurring(connection, column, found):
        if request.type is None or slot.type == request.type:
            (rows,) = connection.execute(COUNT.format(column=column), (found, key, start_ms, end_ms)).fetchone()
            if rows:
                counts[key, slot] = rows
    return Selection(column, found, start_ms, end_ms, counts, request.type is not None)


def occurring(connection: sqlite3.Connection, column: str, target: int) -> Iterator[tuple[int, Slot]]:
    for key, name in connection.execute(SLOTS.format(column=column), (target,)).fetchall():
        yield key, Slot(*json.loads(name))
