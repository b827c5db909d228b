"""What rows have in common, worked out once: their repeated cells, and which columns they fill.

Caches made of dicts that compute what they lack: a hit costs a lookup in C.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from services.columns import Column, Columns
from services.formats.csv.cells import cell
from services.formats.csv.values import Path
from services.measures import Slot

#: Entries before a cache is emptied: a few hundred bytes each.
GROUPS = 4096
PLANS = 512

#: Characters of all plans of an export before they are emptied: one holds a row's separators, and a model of 20,000
#: slots makes rows of 20 kB.
CHARACTERS = 16 * 1024 * 1024

Keys = tuple[str, ...]

#: Where the value of a column is, and the row's text from there to the next: `key` of `values`, or `sub` of the
#: object there; where that may not be all, `sub` is empty and the path leads there. These are plain tuples because
#: a NamedTuple takes four times as long to unpack.
Step = tuple[str, str, Path | None, str]

#: The row's text before the first column to fill, and the columns.
Plan = tuple[str, tuple[Step, ...]]


class Plans(dict[Keys, Plan]):
    """Holds the plans of one slot and type, by the keys of `values`; `()` serves for values that are no object."""

    def __init__(self, columns: Sequence[tuple[int, Column]], width: int, spend: Callable[[int], None]) -> None:
        """`spend` is told the characters of each plan."""
        super().__init__()
        self._columns = columns
        self._width = width
        self._spend = spend

    def __missing__(self, keys: Keys) -> Plan:
        if len(self) >= PLANS:
            self.clear()
        self._spend(self._width)
        plan = self[keys] = self._plan(keys)
        return plan

    def _plan(self, keys: Keys) -> Plan:
        ways = [(place, way) for place, column in self._columns if (way := _way(column.path, keys)) is not None]
        places = [-1, *(place for place, _ in ways), self._width - 1]
        commas = ["," * (place - before) for before, place in pairwise(places)]
        commas[-1] += "\n"
        return commas[0], tuple((*way, after) for (_, way), after in zip(ways, commas[1:], strict=True))


def _way(path: str | None, keys: Keys) -> tuple[str, str, Path | None] | None:
    """Return the way to the value of a column in objects of these keys; `None`: there is none."""
    if path is None:
        return "", "", ()
    whole = tuple(path.split("."))
    if not keys:
        return "", "", whole
    leading = [key for key in keys if path == key or path.startswith(f"{key}.")]
    if len(leading) != 1:
        return ("", "", whole) if leading else None
    key, rest = leading[0], path[len(leading[0]) + 1 :]
    if not rest:
        return key, "", None
    return key, ("" if "." in rest else rest), whole


#: Type, stored slot, device id and model, asset id and model.
GroupKey = tuple[str | None, str | None, str | None, str | None, str | None, str | None]


#: The cells from Measure Type to Asset Model, joined, and the plans of the slot.
Group = tuple[str, Plans]


class Groups(dict[GroupKey, Group]):
    def __init__(self, columns: Columns, *, guard: bool) -> None:
        super().__init__()
        self._columns = columns
        self._guard = guard
        self._plans: dict[Slot, Plans] = {}
        self._characters = 0

    def __missing__(self, key: GroupKey) -> Group:
        if len(self) >= GROUPS:
            self.clear()
        type_, slot, *rest = key
        cells = ",".join(cell(value, guard=self._guard) for value in (type_, *rest))
        group = self[key] = cells, self._plans_of(Slot(slot, type_))
        return group

    def _plans_of(self, stored: Slot) -> Plans:
        if stored not in self._plans:
            self._plans[stored] = Plans(self._columns.of(stored), len(self._columns.columns), self._spend)
        return self._plans[stored]

    def _spend(self, characters: int) -> None:
        self._characters += characters
        if self._characters > CHARACTERS:
            self._characters = characters
            for plans in self._plans.values():
                plans.clear()
