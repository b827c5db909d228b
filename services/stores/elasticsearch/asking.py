"""How the indices behind an alias are asked for what an export is about: target, type, slots, instants.

Each by the field that finds it exactly there. Where all share it, that is a plain clause; else one for each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from services.errors import StoreUnavailable
from services.filters.algebra import NONE, Expression, Leaf, split, written
from services.stores.elasticsearch.exact import WANTED_KEYWORD, Exact

JSON = dict[str, Any]

#: Milliseconds: the first and the last that `date_nanos` can hold whole. It refuses to be asked for others.
FIRST_FINE_MS, LAST_FINE_MS = 0, 9_223_372_036_853


@dataclass(frozen=True)
class Group:
    """Indices, by name, that are asked by the same field."""

    exact: Exact
    indices: tuple[str, ...]


@dataclass(frozen=True)
class Instants:
    """Indices, by name, that store them in nanoseconds, and the `others`. `lacking`: some have none."""

    fine: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    lacking: bool = False
    field: str = "measuredAt"

    def during(self, first_ms: int | None, last_ms: int | None) -> JSON:
        """Both included, `None`: open."""
        coarse = self._range(first_ms, last_ms)
        cases = [(self.others, coarse)] if self.others or not self.fine else []
        if self.fine:
            cases.append((self.fine, self._fine_range(first_ms, last_ms)))
        return written(split(cases))

    def _range(self, first_ms: int | None, last_ms: int | None) -> Expression:
        bounds = {"gte": first_ms, "lte": last_ms, "format": "epoch_millis"}
        return Leaf({"range": {self.field: {name: value for name, value in bounds.items() if value is not None}}})

    def _fine_range(self, first_ms: int | None, last_ms: int | None) -> Expression:
        if (first_ms is not None and first_ms > LAST_FINE_MS) or (last_ms is not None and last_ms < FIRST_FINE_MS):
            return NONE
        earliest = None if first_ms is None or first_ms <= FIRST_FINE_MS else first_ms
        latest = None if last_ms is None or last_ms > LAST_FINE_MS else last_ms
        return self._range(earliest, latest)


@dataclass(frozen=True)
class Pairs:
    """Fields whose pairs of values are gathered together. `indices`: by name, `None`: all.

    `hiding`: those of them that hide long texts, which are marked in the document then.
    """

    fields: tuple[str, str]
    indices: tuple[str, ...] | None
    hiding: tuple[str, ...]


class Asking:
    """`indices`: all, by name. `groups`: by path; an index in none holds no documents."""

    def __init__(
        self, indices: Sequence[str], groups: Mapping[str, tuple[Group, ...]], instants: Instants | None = None
    ) -> None:
        self._indices = tuple(indices)
        self._groups = groups
        self.instants = instants or Instants()

    def term(self, path: str, *values: str) -> JSON:
        """What has one of these texts there. Raises `StoreUnavailable` where one is too long to be found."""
        groups = self._groups[path]
        cases = [(group.indices, Leaf(of_field(found(path, group, values), values))) for group in groups]
        return written(split([*cases, *self._outside(groups)]))

    def pairs(self, first: str, second: str) -> tuple[Pairs, ...]:
        """Of two paths, for each pair of fields that is asked. Raises `StoreUnavailable`."""
        both = [
            (one, other, tuple(name for name in one.indices if name in other.indices))
            for one, other in product(self._groups[first], self._groups[second])
        ]
        both = [(one, other, names) for one, other, names in both if names]
        for path, group in [(first, one) for one, _, _ in both] + [(second, other) for _, other, _ in both]:
            if not group.exact.collected:
                raise unaskable(group.indices[0], path, f"it is keyword without doc_values. {WANTED_KEYWORD}")
        alone = len(both) == 1 and len(both[0][2]) == len(self._indices)
        return tuple(
            Pairs(
                (one.exact.name, other.exact.name),
                None if alone else names,
                tuple(each.exact.name for each in (one, other) if each.exact.longest is not None),
            )
            for one, other, names in both
        )

    def _outside(self, groups: Sequence[Group]) -> Iterator[tuple[tuple[str, ...], Expression]]:
        inside = {name for group in groups for name in group.indices}
        outside = tuple(name for name in self._indices if name not in inside)
        if outside:
            yield outside, NONE


def found(path: str, group: Group, values: Sequence[str]) -> str:
    """The field that finds them. Raises `StoreUnavailable`."""
    longest = group.exact.longest
    for value in values:
        if longest is not None and units(value) > longest:
            raise StoreUnavailable(
                f'The index "{group.indices[0]}" cannot be asked for a "{path}" of {units(value)} characters: '
                f'"{group.exact.name}" leaves out what is longer than {longest} (ignore_above).'
            )
    return group.exact.name


def unaskable(index: str, path: str, reason: str) -> StoreUnavailable:
    """`reason`: what the path is there, and what would be right."""
    return StoreUnavailable(f'The index "{index}" cannot be asked for "{path}": {reason}')


def units(text: str) -> int:
    """Of UTF-16, as `ignore_above` counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def of_field(name: str, values: Sequence[str]) -> JSON:
    if len(values) == 1:
        return {"term": {name: {"value": values[0]}}}
    return {"terms": {name: list(values)}}
