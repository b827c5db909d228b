"""Exact terms: the clauses that find target, type, slots and instants in all indices of an alias.

Each index is asked by the field that is exact there. Where all share one, that is a plain clause;
else one for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.errors import StoreUnavailable
from services.filters.elasticsearch.boolean import NONE, Expression, Leaf, query_of, split
from services.stores.elasticsearch.query.exact_fields import Absent, Answer, Exact, Unseen

JSON = dict[str, Any]

#: The last instant of Elasticsearch, and its negative: there is one before that, which no query can name.
FURTHEST_MS = 2**63 - 1

#: Milliseconds: the first and the last that `date_nanos` can hold whole. It refuses to be asked for others.
FIRST_FINE_MS, LAST_FINE_MS = 0, 9_223_372_036_853


@dataclass(frozen=True)
class Group:
    """Indices, by name, that are asked by the same field."""

    exact: Exact
    indices: tuple[str, ...]


@dataclass(frozen=True)
class Instants:
    """The field of instants in all indices. `fine`: it counts nanoseconds. `lacking`: some indices have none."""

    fine: bool = False
    lacking: bool = False
    field: str = "measuredAt"

    def during(self, first_ms: int | None, last_ms: int | None) -> JSON:
        """Return a clause for the instants from one to another (epoch ms), both included; `None`: open."""
        if self.fine:
            if (first_ms or FIRST_FINE_MS) > LAST_FINE_MS or (last_ms or FIRST_FINE_MS) < FIRST_FINE_MS:
                return {"match_none": {}}
            first_ms = None if first_ms is None or first_ms <= FIRST_FINE_MS else first_ms
            last_ms = None if last_ms is None or last_ms > LAST_FINE_MS else last_ms
        bounds = {"gte": None if first_ms is not None and first_ms < -FURTHEST_MS else first_ms, "lte": last_ms}
        if last_ms is not None and last_ms < -FURTHEST_MS:
            bounds = {"lt": -FURTHEST_MS}
        given = {name: value for name, value in bounds.items() if value is not None}
        return {"range": {self.field: {**given, "format": "epoch_millis"}}}


@dataclass(frozen=True)
class Tuples:
    """Fields whose values are gathered together. `indices`: where, by name; `None`: in all.

    `hiding`: fields that leave out long texts, which is marked in the document then. `read`: no
    field of these indices has the values, so that each document is opened for them.
    """

    fields: tuple[str, ...]
    indices: tuple[str, ...] | None
    hiding: tuple[str, ...] = ()
    read: bool = False


class ExactTerms:
    """Builds clauses. `answers`: of each index, by path and name; one that cannot be asked holds no documents."""

    def __init__(self, answers: Mapping[str, Mapping[str, Answer]], instants: Instants | None = None) -> None:
        self._answers = answers
        self.instants = instants or Instants()

    def term(self, path: str, *values: str) -> JSON:
        """Return a clause for what has one of these texts at a path.

        Raises `StoreUnavailable` where a text is too long to be found.
        """
        answers = self._answers[path]
        groups = grouped(path, answers)
        outside = tuple(name for name, answer in answers.items() if isinstance(answer, Unseen))
        cases: list[tuple[tuple[str, ...], Expression]] = [
            (group.indices, Leaf(of_field(found(path, group, values), values))) for group in groups
        ]
        return query_of(split([*cases, *([(outside, NONE)] if outside else [])]))

    def exists(self, path: str) -> JSON:
        """Return a clause for what has a text at a path, also one that its field leaves out for its length."""
        answers = self._answers[path]
        outside = tuple(name for name, answer in answers.items() if isinstance(answer, Unseen))
        cases: list[tuple[tuple[str, ...], Expression]] = [
            (group.indices, Leaf(existing(group.exact))) for group in grouped(path, answers)
        ]
        return query_of(split([*cases, *([(outside, NONE)] if outside else [])]))

    def ordering(self, path: str) -> str:
        """Return the field by which all indices are read in the order of their texts at a path.

        Raises `StoreUnavailable` where no one field has them all.
        """
        groups = grouped(path, self._answers[path])
        exact = groups[0].exact if groups else Exact(path, "keyword")
        if len(groups) > 1 or exact.longest is not None or not exact.collected:
            raise StoreUnavailable(
                f'The indices cannot be read in the order of "{path}": one keyword of any length in all of them would '
                "be right."
            )
        return exact.name

    def tuples(self, *paths: str) -> tuple[Tuples, ...]:
        """Return how the values at paths are gathered together: by fields where indices have them, else read."""
        found: dict[Tuples, list[str]] = {}
        usual = tuple(next((group.exact.name for group in grouped(path, self._answers[path])), path) for path in paths)
        for name in self._answers[paths[0]]:
            answers = tuple(self._answers[path][name] for path in paths)
            found.setdefault(gathered(paths, answers, usual), []).append(name)
        return tuple(
            replace(tuples, indices=None if len(found) == 1 else tuple(names)) for tuples, names in found.items()
        )


def gathered(paths: tuple[str, ...], answers: tuple[Answer, ...], usual: tuple[str, ...]) -> Tuples:
    """Return how one index is asked. `usual`: fields of other indices, to ask where nothing is to be found."""
    if not all(isinstance(each, Absent) or (isinstance(each, Exact) and each.collected) for each in answers):
        return Tuples(paths, None, read=True)
    found = [each if isinstance(each, Exact) else Exact(name, "") for each, name in zip(answers, usual, strict=True)]
    hiding = tuple(each.name for each in found if each.longest is not None)
    return Tuples(tuple(each.name for each in found), None, hiding)


def existing(exact: Exact) -> JSON:
    exists: JSON = {"exists": {"field": exact.name}}
    if exact.longest is None:
        return exists
    ignored: JSON = {"term": {"_ignored": {"value": exact.name}}}
    return {"bool": {"should": [exists, ignored], "minimum_should_match": 1}}


def grouped(path: str, answers: Mapping[str, Answer]) -> tuple[Group, ...]:
    """Return the indices by the field that is asked. One that has nothing there may be asked for any."""
    groups: dict[Exact, list[str]] = {}
    for name, answer in answers.items():
        if isinstance(answer, Exact):
            groups.setdefault(answer, []).append(name)
    absent = [name for name, answer in answers.items() if isinstance(answer, Absent)]
    if absent:
        groups.setdefault(next(iter(groups), Exact(path, "keyword")), []).extend(absent)
    return tuple(Group(exact, tuple(names)) for exact, names in groups.items())


def found(path: str, group: Group, values: Sequence[str]) -> str:
    """Return the field that finds these texts. Raises `StoreUnavailable`."""
    longest = group.exact.longest
    for value in values:
        if longest is not None and units(value) > longest:
            raise StoreUnavailable(
                f'The index "{group.indices[0]}" cannot be asked for a "{path}" of {units(value)} characters: '
                f'"{group.exact.name}" leaves out what is longer than {longest} (ignore_above).'
            )
    return group.exact.name


def units(text: str) -> int:
    """Return the units of UTF-16 of a text, by which `ignore_above` counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def of_field(name: str, values: Sequence[str]) -> JSON:
    if len(values) == 1:
        return {"term": {name: {"value": values[0]}}}
    return {"terms": {name: list(values)}}
