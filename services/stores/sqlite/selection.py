"""The selection of an export, before its filter: its target, range and type, as SQL over the indexes."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.measures import ExportRequest, Fleet, Kind, Slot
from services.stores.sqlite import keys
from services.stores.sqlite.keys import listed

#: Epoch ms of any stored instant lie within.
FIRST_MS, LAST_MS = -(2**63), 2**63 - 1

#: The columns and indexes of a kind of target.
COLUMN: Mapping[Kind, str] = {"assets": "asset", "devices": "device"}

#: No row: no key is 0.
NOBODY = 0

#: The slots of an owner, each found by a step into the index beyond the one before.
SLOTS = """
WITH RECURSIVE each (slot) AS (
    SELECT min({slot}) FROM measures INDEXED BY {index} WHERE {owner} = ?1 AND {column} IS NOT NULL
    UNION ALL
    SELECT (SELECT min({slot}) FROM measures INDEXED BY {index}
            WHERE {owner} = ?1 AND {column} IS NOT NULL AND {slot} > each.slot)
    FROM each WHERE slot IS NOT NULL
)
SELECT key, name FROM each JOIN keys ON key = slot
"""

COUNT = """
SELECT count(*) FROM measures INDEXED BY {index}
WHERE {owner} = ? AND {column} IS NOT NULL AND {slot} = ? AND at BETWEEN ? AND ?
"""


@dataclass(frozen=True)
class Owner:
    """Owns rows: a target, or an engine; `column` holds it, `key` is its number. `kind`: the column of its targets."""

    column: str
    key: int
    kind: str

    def sql(self, statement: str) -> str:
        """Return a statement about the owner's slots."""
        begins = self.kind if self.column == self.kind else f"{self.column}_{self.kind}"
        return statement.format(owner=self.column, column=self.kind, slot=f"{self.kind}_slot", index=f"{begins}_slots")


@dataclass(frozen=True)
class Selection:
    """Selects rows. `counts`: rows by slot as stored, with its key; only those in the range.

    `targets`: keys of the only targets that are meant, `None`: all of the owner's. `of_slots`: not all slots are.
    """

    owner: Owner
    start_ms: int
    end_ms: int
    counts: Mapping[tuple[int, Slot], int]
    targets: Sequence[int] | None
    of_slots: bool

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    @property
    def slots(self) -> Collection[Slot]:
        return {slot for _, slot in self.counts}

    @property
    def where(self) -> str:
        """The condition, decided in the index alone. Its values are `parameters`."""
        kind = self.owner.kind
        conditions = [f"{self.owner.column} = ? AND at BETWEEN ? AND ? AND {kind} IS NOT NULL"]
        if self.targets is not None:
            conditions.append(f"{kind} IN ({listed(self.targets)})")
        if self.of_slots:
            conditions.append(f"{kind}_slot IN ({listed(key for key, _ in self.counts)})")
        return " AND ".join(conditions)

    @property
    def parameters(self) -> tuple[int, int, int]:
        return self.owner.key, self.start_ms, self.end_ms

    def before(self, at: int) -> "Selection":
        """Return the part before an instant, which is included; with the counts of the whole."""
        return replace(self, end_ms=at)

    def after(self, at: int) -> "Selection":
        """Return the part after an instant, which is included; with the counts of the whole."""
        return replace(self, start_ms=at)


def select(connection: sqlite3.Connection, request: ExportRequest) -> Selection:
    target = request.target
    column = COLUMN[target.kind]
    engine = Owner("engine", keys.key(connection, target.engine) or NOBODY, column)
    ids = target.ids if isinstance(target, Fleet) else [target.id]
    if ids is None:
        return of_owners(connection, request, [engine], engine)
    found = (keys.key(connection, target.engine, target.kind, id) for id in ids)
    owners = [Owner(column, key, column) for key in found if key is not None] or [Owner(column, NOBODY, column)]
    return of_owners(connection, request, owners, engine)


def of_target(connection: sqlite3.Connection, request: ExportRequest, key: int) -> Selection:
    """Select the rows of one target of a fleet, by its key."""
    owner = Owner(COLUMN[request.target.kind], key, COLUMN[request.target.kind])
    return of_owners(connection, request, [owner], owner)


def targets(connection: sqlite3.Connection, request: ExportRequest) -> list[tuple[str, int]]:
    """Return the ids and keys of the targets that an export may be of, in order of id."""
    target = request.target
    if isinstance(target, Fleet) and target.ids is not None:
        found = ((id, keys.key(connection, target.engine, target.kind, id)) for id in target.ids)
        return sorted((id, key) for id, key in found if key is not None)
    return sorted(keys.below(connection, target.engine, target.kind))


def of_owners(
    connection: sqlite3.Connection, request: ExportRequest, owners: Sequence[Owner], engine: Owner
) -> Selection:
    fleet = request.target if isinstance(request.target, Fleet) else None
    start_ms = FIRST_MS if request.start_ms is None else request.start_ms
    end_ms = LAST_MS if request.end_ms is None else request.end_ms
    counts: Counter[tuple[int, Slot]] = Counter()
    for owner in owners:
        for key, slot in occurring(connection, owner, fleet):
            if request.type is None or slot.type == request.type:
                of_slot = (owner.key, key, start_ms, end_ms)
                (rows,) = connection.execute(owner.sql(COUNT), of_slot).fetchone()
                if rows:
                    counts[key, slot] += rows
    of_slots = request.type is not None or (fleet is not None and (fleet.models or fleet.groups) is not None)
    if len(owners) == 1:
        return Selection(owners[0], start_ms, end_ms, counts, None, of_slots)
    return Selection(engine, start_ms, end_ms, counts, [owner.key for owner in owners], of_slots)


def occurring(connection: sqlite3.Connection, owner: Owner, fleet: Fleet | None) -> Iterator[tuple[int, Slot]]:
    """Yield the keys and slots of an owner that are meant; of a single target without models."""
    for key, name in connection.execute(owner.sql(SLOTS), (owner.key,)).fetchall():
        slot, groups = keys.slot(name)
        if fleet is None:
            yield key, replace(slot, model=None)
        elif (fleet.models is None or slot.model in fleet.models) and (
            fleet.groups is None or not groups.isdisjoint(fleet.groups)
        ):
            yield key, slot
