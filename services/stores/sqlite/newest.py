"""The newest rows of the targets of a fleet: their numbers, found in one passage over all rows."""

import json
from collections.abc import Iterable, Iterator

from services.stores.sqlite.arranging import RowNumbers
from services.stores.sqlite.snapshot import Snapshot

#: Instant and number of a row; the key of its target, or the id of what it is collapsed by, if it has one; its slot.
NewestRow = tuple[int, int, int | str | None, int]

#: The places of the newest rows, by slot.
Places = dict[int, tuple[int, int]]

#: Targets between two looks at the clock.
BATCH = 500

NAMES = "SELECT key, name FROM keys WHERE key IN (SELECT value FROM json_each(?))"


def newest(rows: Iterable[NewestRow], snapshot: Snapshot) -> RowNumbers:
    """Return the numbers of the newest rows of each slot of each target, in order of the targets' ids, of one in order
    of time; of rows of one instant the last inserted is the newest. `rows` come newest first, within a turn.
    """
    by_target: dict[int | str, Places] = {}
    for at, seq, target, slot in rows:
        if target is None:
            continue
        places = by_target.get(target)
        if places is None:
            by_target[target] = {slot: (at, seq)}
        elif slot not in places or places[slot][0] == at:
            places[slot] = (at, seq)
    found = RowNumbers()
    ids: dict[int | str, str] = {target: target for target in by_target if isinstance(target, str)}
    ids.update(named(by_target, snapshot))
    for number, target in enumerate(sorted(by_target, key=ids.__getitem__)):
        found.add(seq for _, seq in sorted(by_target[target].values()))
        if number % BATCH == 0:
            snapshot.look()
    return found


def named(targets: Iterable[int | str], snapshot: Snapshot) -> Iterator[tuple[int, str]]:
    """Yield the ids of targets, by their keys."""
    keys = [target for target in targets if isinstance(target, int)]
    for start in range(0, len(keys), BATCH):
        for key, name in snapshot.execute(NAMES, (json.dumps(keys[start : start + BATCH]),)):
            yield key, json.loads(name)[2]
        snapshot.look()
