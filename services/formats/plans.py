"""What rows have in common, worked out once: their repeated cells, and which columns they fill.

Caches made of dicts that compute what they lack: a hit costs a lookup in C.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from services.columns import FIXED, Column
from services.formats.beside import Beside, Get
from services.formats.layout import Layout
from services.formats.syntax import Instant, Syntax
from services.formats.values import Path, find
from services.instants import instant
from services.measures import Kind, Slot

#: Entries before a cache is emptied: a few hundred bytes each.
GROUPS = 16_384
PLANS = 512

#: Characters of all plans of an export before they are emptied: one holds a row's separators, and a model of 20,000
#: slots makes rows of 20 kB. Beside its text, a plan takes about as much memory as so many.
CHARACTERS = 16 * 1024 * 1024
OVERHEAD = 1000

Keys = tuple[str, ...]

#: Where the value of a column is: `key` of `values`, or `sub` of the object there; where that may not be all, `sub` is
#: empty and `get` finds it. These are plain tuples because a NamedTuple takes four times as long to unpack.
Way = tuple[str, str, Get | None]

#: A way, the row's text after the value, up to the next, and the lead that stands before it.
Step = tuple[str, str, Get | None, str, str]

#: The row's text before the first column to fill, and the columns.
Plan = tuple[str, tuple[Step, ...]]

#: Type, stored slot, device id and model, asset id and model.
GroupKey = tuple[str | None, str | None, str | None, str | None, str | None, str | None]

#: The place, among device id and model, asset id and model, of the model that decides slots.
OWN_MODELS: Mapping[Kind, int] = {"devices": 1, "assets": 3}

#: The cells from Measure Type to Asset Model, joined, and the plans of the slot.
Group = tuple[str, "Plans"]

#: Between these, an integer is the instant it says; a smaller one may be a year.
FIRST_MS, LAST_MS = 10_000, 10**15

#: The cells that a measure has of its own, and those that it has in common with its group, by their places.
ID, AT, AT_ISO, FIRST_COMMON = 0, 1, 2, 3

OWN: Mapping[int, Get] = {
    ID: lambda measure: measure.id,
    AT: lambda measure: stored_of(measure.source.measuredAt),
    AT_ISO: lambda measure: instant_of(measure.source.measuredAt),
}


def stored_of(stored: Any) -> Any:
    """Return a `measuredAt` as it is written: an `Instant` is its milliseconds, which may read as a year."""
    return int(stored) if type(stored) is Instant else stored


def instant_of(stored: Any) -> Instant | None:
    """Return the instant of a `measuredAt`, if it can be read."""
    if type(stored) is int and FIRST_MS <= stored <= LAST_MS:
        return Instant(stored)
    if type(stored) is Instant:
        return stored
    ms = instant(stored)
    return None if ms is None else Instant(ms)


class Plans(dict[Keys, Plan]):
    """Holds plans by the keys of `values`; `()` serves for values that are no object.

    `filled`: what each column of the file that may be filled holds, in order: by its place, a cell that is always the
    same, a getter, or a column. `spend` is told the characters of each plan.
    """

    def __init__(
        self, filled: Sequence[tuple[int, "Held"]], syntax: Syntax, places: range, spend: Callable[[int], None]
    ) -> None:
        super().__init__()
        self._filled = filled
        self._syntax = syntax
        self._places = places
        self._spend = spend

    def __missing__(self, keys: Keys) -> Plan:
        if len(self) >= PLANS:
            self.clear()
        plan = self._plan(keys)
        before, steps = plan
        self._spend(OVERHEAD + len(before) + sum(len(after) for *_, after, _ in steps))
        self[keys] = plan
        return plan

    def _plan(self, keys: Keys) -> Plan:
        syntax = self._syntax
        pieces, steps = [""], list[tuple[Way, str]]()
        next_place = self._places.start
        for place, held in self._filled:
            way = way_of(held, keys)
            if way is None:
                continue
            pieces[-1] += self._missing(next_place, place)
            next_place = place + 1
            lead = syntax.leads[place]
            if isinstance(way, Constant):
                pieces[-1] += syntax.cell(way.value, lead)
            else:
                pieces[-1] += lead
                pieces.append(syntax.close)
                steps.append((way, lead))
        pieces[-1] += self._missing(next_place, self._places.stop) + syntax.end
        return pieces[0], tuple((*way, after, lead) for (way, lead), after in zip(steps, pieces[1:], strict=True))

    def _missing(self, first: int, end: int) -> str:
        """Return the cells of columns that have no value."""
        if first == 0 and end:
            return self._syntax.cell(None, self._syntax.leads[0]) + self._syntax.missing * (end - 1)
        return self._syntax.missing * (end - first)


class Constant:
    """Holds what every row of a group has."""

    def __init__(self, value: Any) -> None:
        self.value = value


#: What a column holds for the rows of a group.
Held = Constant | Get | Column


def way_of(held: Held, keys: Keys) -> Way | Constant | None:
    """Return the way to what a column holds in objects of these keys; `None`: there is none."""
    if isinstance(held, Constant):
        return held
    return _way(held, keys) if isinstance(held, Column) else ("", "", held)


def _way(column: Column, keys: Keys) -> Way | None:
    path = column.path
    if path is None:
        return "", "", getter(())
    whole = getter(tuple(path.split(".")))
    if not keys:
        return "", "", whole
    leading = [key for key in keys if path == key or path.startswith(f"{key}.")]
    if len(leading) != 1:
        return ("", "", whole) if leading else None
    key, rest = leading[0], path[len(leading[0]) + 1 :]
    if not rest:
        return key, "", None
    return key, ("" if "." in rest else rest), whole


def getter(path: Path) -> Get:
    return lambda measure: find(measure.source.values, path)


class Groups(dict[GroupKey, Group]):
    """Holds what rows have in common that are of one group."""

    def __init__(self, layout: Layout, syntax: Syntax) -> None:
        super().__init__()
        self._layout = layout
        self._syntax = syntax
        self._own_model = OWN_MODELS[layout.columns.kind]
        self.beside = Beside(layout.paths)
        self._plans: dict[Slot, Plans] = {}
        self._made: list[Plans] = []
        self._characters = 0

    def __missing__(self, key: GroupKey) -> Group:
        if len(self) >= GROUPS:
            self.clear()
            self._made = list(self._plans.values())
        type_, slot, *rest = key
        common = (type_, *rest)
        stored = self._layout.columns.stored(slot, type_, rest[self._own_model])
        group = self[key] = self._usual(stored, common) if self._layout.chosen is None else self._chosen(stored, common)
        return group

    def _usual(self, stored: Slot, common: Sequence[str | None]) -> Group:
        """Return the group of the usual layout: its cells stand together, and its plans serve every group of a slot."""
        leads = self._syntax.leads[FIRST_COMMON:]
        cells = "".join(self._syntax.cell(value, lead) for value, lead in zip(common, leads, strict=False))
        if stored not in self._plans:
            filled = [(len(FIXED) + place, column) for place, column in self._layout.columns.of(stored)]
            self._plans[stored] = self._planned(filled, len(FIXED))
        return cells, self._plans[stored]

    def _chosen(self, stored: Slot, common: Sequence[str | None]) -> Group:
        columns = {len(FIXED) + place: column for place, column in self._layout.columns.of(stored)}
        return "", self._planned(list(self._held(columns, common)), 0)

    def _held(self, columns: Mapping[int, Column], common: Sequence[str | None]) -> Iterator[tuple[int, Held]]:
        for place, source in enumerate(self._layout.sources):
            if isinstance(source, str):
                yield place, self.beside.getter(source)
            elif source in OWN:
                yield place, OWN[source]
            elif source < len(FIXED):
                yield place, Constant(common[source - FIRST_COMMON])
            elif source in columns:
                yield place, columns[source]

    def _planned(self, filled: Sequence[tuple[int, Held]], first: int) -> Plans:
        plans = Plans(filled, self._syntax, range(first, len(self._layout.headers)), self._spend)
        self._made.append(plans)
        return plans

    def _spend(self, characters: int) -> None:
        self._characters += characters
        if self._characters > CHARACTERS:
            self._characters = characters
            for plans in self._made:
                plans.clear()
