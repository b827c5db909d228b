"""Translate a filter into two queries of Elasticsearch: what it matches at least, and at most.

Elasticsearch does not tell an array from what is in it, nor null from nothing, and no mapping
forbids arrays: only of `_id` it knows as much as Koncorde. So the first query finds what may match,
and the evaluator decides; the second is there to be negated. Where the two are the same, nothing is
left to decide.

Several indices may map a path differently: each clause asks each of them as its own mapping wants
it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, singledispatch
from typing import Any

from services.filters.elasticsearch import leaves as values
from services.filters.elasticsearch.boolean import (
    ALL,
    JSON,
    NONE,
    Expression,
    Leaf,
    Split,
    cut,
    every,
    no,
    query_of,
    some,
    split,
    without,
)
from services.filters.koncorde import nodes
from services.mapping import Fields, MappedField


@dataclass(frozen=True)
class Queries:
    """The two queries of a filter: `up` matches at least what it does, `lo` at most."""

    up: JSON
    lo: JSON

    @property
    def exact(self) -> bool:
        return self.up == self.lo


#: The fields of indices, by the names of those that share them.
Indices = Mapping[tuple[str, ...], Fields]

#: More different mappings than that are not looked at, clause by clause: all is decided while reading.
MOST_MAPPINGS = 64

#: Of an index of which nothing is known.
UNKNOWN: Indices = {(): Fields({})}

#: Queries that a cluster may forbid, where `search.allow_expensive_queries` is false.
EXPENSIVE = frozenset(("wildcard",))


def translate(node: nodes.Filter, indices: Indices, *, forbidden: Collection[str] = ()) -> Queries:
    """Return the queries of a filter. `forbidden`: kinds of queries that Elasticsearch will not be asked."""
    found = bounds(node, Document(indices if len(indices) <= MOST_MAPPINGS else UNKNOWN))
    up, lo = without(found.up, forbidden, ALL), without(found.lo, forbidden, NONE)
    return Queries(query_of(cut(up, ALL)), query_of(cut(lo, NONE)))


@dataclass(frozen=True)
class Bounds:
    up: Expression
    lo: Expression


def exactly(expression: Expression) -> Bounds:
    return Bounds(expression, expression)


def at_least(expression: Expression) -> Bounds:
    return Bounds(expression, NONE)


@dataclass(frozen=True)
class Document:
    """The subject of a filter: a whole document."""

    indices: Indices

    def is_id(self, field: str) -> bool:
        return field == "_id"

    def path(self, field: str) -> str | None:
        return field

    def is_own(self, fields: Fields, field: MappedField) -> bool:
        return fields.own(field)


@dataclass(frozen=True)
class Element:
    """The subject of the filter of a `select`: `{"value": element}`, of the array at `base`."""

    indices: Indices
    base: str

    def is_id(self, field: str) -> bool:
        return False

    def path(self, field: str) -> str | None:
        """Return where elements are indexed; `None`: such a field never exists."""
        first, dot, others = field.partition(".")
        return f"{self.base}{dot}{others}" if first == "value" else None

    def is_own(self, fields: Fields, field: MappedField) -> bool:
        """Whether it is of one element: of all elements there may be one."""
        return False


View = Document | Element


def value(node: Any, view: View, query: Callable[[MappedField], Expression]) -> Bounds:
    """Return the bounds of a clause that only a value matches which is there."""
    path = view.path(node.field)
    return exactly(NONE) if path is None else at_least(asked(path, view, lambda _, field: query(field)))


def asked(
    path: str, view: View, query: Callable[[Fields, MappedField], Expression], unknown: Expression = ALL
) -> Expression:
    """Return what asks each index for itself. `unknown`: of one that cannot be asked for that path."""

    def answers(query: Callable[[Fields, MappedField], Expression]) -> Expression:
        found = ((names, fields, fields.find(path)) for names, fields in view.indices.items())
        return split((names, unknown if field is None else query(fields, field)) for names, fields, field in found)

    joined = answers(query)
    dated = isinstance(joined, Split) and any(fields.is_date(path) for fields in view.indices.values())
    return answers(without_range(query)) if dated else joined


def without_range(query: Callable[[Fields, MappedField], Expression]) -> Callable[[Fields, MappedField], Expression]:
    """Return queries without ranges where an index has dates.

    It reads a range before it looks whether it is meant, and refuses what is no date.
    """

    def answer(fields: Fields, field: MappedField) -> Expression:
        found = query(fields, field)
        return values.seen(field) if isinstance(found, Leaf) and "range" in found.query else found

    return answer


@singledispatch
def bounds(node: Any, view: View) -> Bounds:
    raise TypeError(f"Not a filter: {node!r}")


@bounds.register
def bounds_all(node: nodes.All, view: View) -> Bounds:
    return exactly(ALL)


@bounds.register
def bounds_nothing(node: nodes.Nothing, view: View) -> Bounds:
    return exactly(NONE)


@bounds.register
def bounds_and(node: nodes.And, view: View) -> Bounds:
    children = [bounds(child, view) for child in node.children]
    return Bounds(every(child.up for child in children), every(child.lo for child in children))


@bounds.register
def bounds_or(node: nodes.Or, view: View) -> Bounds:
    children = [bounds(child, view) for child in node.children]
    return Bounds(some(child.up for child in children), some(child.lo for child in children))


@bounds.register
def bounds_not(node: nodes.Not, view: View) -> Bounds:
    child = bounds(node.child, view)
    return Bounds(no(child.lo), no(child.up))


@bounds.register
def bounds_equals(node: nodes.Equals, view: View) -> Bounds:
    if view.is_id(node.field):
        return exactly(id_is(node.value))
    if node.value is not None:
        return value(node, view, lambda field: values.equal(field, node.value))
    path = view.path(node.field)
    return exactly(NONE) if path is None else at_least(asked(path, view, partial(null, view)))


def id_is(value: Any) -> Expression:
    return values.ids((value,)) if isinstance(value, str) else NONE


def null(view: View, fields: Fields, field: MappedField) -> Expression:
    """Return what finds null, of which nothing is indexed, where no other value can be indexed either."""
    alone = view.is_own(fields, field) and field.definition.get("null_value") is None
    return Leaf({"exists": {"field": field.name}}, negated=True) if alone else ALL


@bounds.register
def bounds_in(node: nodes.In, view: View) -> Bounds:
    if view.is_id(node.field):
        return exactly(values.ids(node.values))
    return value(node, view, lambda field: values.one_of(field, node.values))


@bounds.register
def bounds_has(node: nodes.Has, view: View) -> Bounds:
    """Return what finds a field. Of null, `[]` and `{}` nothing is indexed."""
    path = view.path(node.field)
    if path is None or view.is_id(node.field):
        return exactly(NONE if path is None else ALL)
    return Bounds(ALL, asked(path, view, partial(present, view), unknown=NONE))


def present(view: View, fields: Fields, field: MappedField) -> Expression:
    return Leaf({"exists": {"field": field.name}}) if view.is_own(fields, field) else NONE


@bounds.register
def bounds_item(node: nodes.Item, view: View) -> Bounds:
    """Return what finds an element. An id is no array; objects and arrays equal no element."""
    if view.is_id(node.field) or isinstance(node.value, list | dict):
        return exactly(NONE)
    if node.value is None:
        return value(node, view, lambda field: ALL)
    return value(node, view, lambda field: values.equal(field, node.value))


@bounds.register
def bounds_range(node: nodes.Range, view: View) -> Bounds:
    if view.is_id(node.field):
        return exactly(NONE)
    low = node.gt if node.gte is None else node.gte
    high = node.lt if node.lte is None else node.lte
    return value(node, view, lambda field: values.between(field, low, high))


@bounds.register
def bounds_regexp(node: nodes.Regexp, view: View) -> Bounds:
    return value(node, view, lambda field: values.found(field, node.source, node.flags))


@bounds.register
def bounds_match(node: nodes.Match, view: View) -> Bounds:
    return at_least(every(contained(path, held, view) for path, held in scalars(node.argument)))


def scalars(argument: Any) -> Iterator[tuple[str, nodes.Scalar]]:
    """Yield each scalar, and where a document has it, be it in an array: arrays leave no trace in paths."""
    left: list[tuple[str, Any]] = list(argument.items())
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [(f"{path}.{name}", held) for name, held in value.items()]
        elif isinstance(value, list):
            left += [(path, item) for item in value]
        elif value is not None:
            yield path, value


def contained(field: str, held: nodes.Scalar, view: View) -> Expression:
    if view.is_id(field):
        return id_is(held)
    path = view.path(field)
    return NONE if path is None else asked(path, view, lambda _, field: values.equal(field, held))


@bounds.register
def bounds_select(node: nodes.Select, view: View) -> Bounds:
    path = None if view.is_id(node.field) else view.path(node.field)
    if path is None:
        return exactly(NONE)
    return at_least(bounds(node.child, Element(view.indices, path)).up)


@bounds.register(nodes.Circle)
@bounds.register(nodes.Ring)
@bounds.register(nodes.Box)
@bounds.register(nodes.Polygon)
def bounds_geo(node: nodes.Geo, view: View) -> Bounds:
    return value(node, view, lambda field: values.inside(field, node))
