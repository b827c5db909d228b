"""A filter as Python: what every store's own way of filtering has to mean, and decides where that cannot.

Compiled once into closures: it runs on every row of an export.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import singledispatch
from typing import Any

from services.filters import geometry, nodes, points, regexps

Document = Mapping[str, Any]
Test = Callable[[Document], bool]
Lookup = Callable[[Document], Any]

#: The value of a field that a document has not.
MISSING = object()


def matches(node: nodes.Filter, document: Document) -> bool:
    """`document` has its `_id` among its keys."""
    return compile(node)(document)


def fields(node: nodes.Filter) -> frozenset[str]:
    """The paths whose values decide. With a dot at its end: all of an object there does, not only that it is one."""
    return frozenset(named(node))


def named(node: nodes.Filter) -> Iterator[str]:
    match node:
        case nodes.And(children) | nodes.Or(children):
            for child in children:
                yield from named(child)
        case nodes.Not(child):
            yield from named(child)
        case nodes.Match(argument):
            for path, value in argument.items():
                yield path
                yield from (f"{path}.{key}" for key in value) if isinstance(value, dict) else ()
        case nodes.Circle(path) | nodes.Ring(path) | nodes.Box(path) | nodes.Polygon(path):
            yield f"{path}."
        case nodes.All() | nodes.Nothing():
            pass
        case _:
            yield node.field


# Fields


def lookup(path: str) -> Lookup:
    """What finds the value there; `MISSING`: none. Keys with a dot in them count as well as keys within keys."""
    outer, *others = path.split(".")
    if not others:
        return lambda document: document.get(path, MISSING)
    if len(others) == 1:
        return pair(path, outer, *others)
    return chain(path, outer, others)


def pair(path: str, outer: str, inner: str) -> Lookup:
    def find(document: Document) -> Any:
        if path in document:
            return last(document, path)
        found = document.get(outer)
        return found.get(inner, MISSING) if found.__class__ is dict else MISSING

    return find


def chain(path: str, outer: str, others: list[str]) -> Lookup:
    inside = lookup(".".join(others))
    rivals = [".".join((outer, *others[:end])) for end in range(1, len(others) + 1)]

    def find(document: Document) -> Any:
        for key in rivals:
            if key in document:
                return last(document, path)
        found = document.get(outer)
        return inside(found) if found.__class__ is dict else MISSING

    return find


def last(document: Document, path: str) -> Any:
    """Where several keys lead to a path, the last of them has its value."""
    found: Any = MISSING
    for key, value in document.items():
        if key == path:
            found = value
        elif value.__class__ is dict and path.startswith(f"{key}."):
            deeper = last(value, path[len(key) + 1 :])
            found = found if deeper is MISSING else deeper
    return found


# Filters


@singledispatch
def compile(node: Any) -> Test:
    raise TypeError(f"Not a filter: {node!r}")


@compile.register
def compile_all(node: nodes.All) -> Test:
    return lambda document: True


@compile.register
def compile_nothing(node: nodes.Nothing) -> Test:
    return lambda document: False


@compile.register
def compile_and(node: nodes.And) -> Test:
    children = [compile(child) for child in node.children]

    def every(document: Document) -> bool:
        for holds in children:  # noqa: SIM110
            if not holds(document):
                return False
        return True

    return every


@compile.register
def compile_or(node: nodes.Or) -> Test:
    children = [compile(child) for child in node.children]

    def some(document: Document) -> bool:
        for holds in children:  # noqa: SIM110
            if holds(document):
                return True
        return False

    return some


@compile.register
def compile_not(node: nodes.Not) -> Test:
    holds = compile(node.child)
    return lambda document: not holds(document)


@compile.register
def compile_equals(node: nodes.Equals) -> Test:
    find, value = lookup(node.field), node.value
    if value is None or isinstance(value, bool):
        return lambda document: find(document) is value
    if isinstance(value, str):
        return lambda document: bool(find(document) == value)
    return lambda document: same_number(find(document), value)


def same_number(value: Any, number: float) -> bool:
    return value.__class__ is not bool and bool(value == number)


@compile.register
def compile_in(node: nodes.In) -> Test:
    find, values = lookup(node.field), frozenset(node.values)

    def is_one(document: Document) -> bool:
        value = find(document)
        return value.__class__ is str and value in values

    return is_one


@compile.register
def compile_has(node: nodes.Has) -> Test:
    find = lookup(node.field)
    return lambda document: find(document) is not MISSING


@compile.register
def compile_item(node: nodes.Item) -> Test:
    find, value = lookup(node.field), node.value
    if isinstance(value, str):
        return lambda document: (found := find(document)).__class__ is list and value in found
    equal = equality(value)

    def holds_it(document: Document) -> bool:
        found = find(document)
        return found.__class__ is list and any(equal(item) for item in found)

    return holds_it


def equality(value: Any) -> Callable[[Any], bool]:
    """Strict; objects and arrays equal nothing."""
    if isinstance(value, list | dict):
        return lambda item: False
    if value is None or isinstance(value, bool):
        return lambda item: item is value
    if isinstance(value, str):
        return lambda item: bool(item == value)
    return lambda item: same_number(item, value)


@compile.register
def compile_range(node: nodes.Range) -> Test:
    """A bound that is not given is infinite, and included."""
    low = next((bound for bound in (node.gt, node.gte) if bound is not None), -math.inf)
    high = next((bound for bound in (node.lt, node.lte) if bound is not None), math.inf)
    return BETWEEN[node.gt is not None, node.lt is not None](lookup(node.field), low, high)


#: By whether the lower and the upper bound are excluded; each in one expression, for speed.
BETWEEN: Mapping[tuple[bool, bool], Callable[[Lookup, float, float], Test]] = {
    (False, False): lambda find, low, high: (
        lambda document: (
            ((value := find(document)).__class__ is float or value.__class__ is int) and low <= value <= high
        )
    ),
    (False, True): lambda find, low, high: (
        lambda document: (
            ((value := find(document)).__class__ is float or value.__class__ is int) and low <= value < high
        )
    ),
    (True, False): lambda find, low, high: (
        lambda document: (
            ((value := find(document)).__class__ is float or value.__class__ is int) and low < value <= high
        )
    ),
    (True, True): lambda find, low, high: (
        lambda document: ((value := find(document)).__class__ is float or value.__class__ is int) and low < value < high
    ),
}


@compile.register
def compile_regexp(node: nodes.Regexp) -> Test:
    find, found = lookup(node.field), regexps.finder(node.pattern, at_start="y" in node.flags)

    def is_found(document: Document) -> bool:
        value = find(document)
        return value.__class__ is str and found(value)

    return is_found


@compile.register
def compile_match(node: nodes.Match) -> Test:
    return all_found([(lookup(path), containing(value)) for path, value in node.argument.items()])


Contains = Callable[[Any], bool]


def all_found(wanted: list[tuple[Lookup, Contains]]) -> Test:
    def every(document: Document) -> bool:
        for find, contains in wanted:  # noqa: SIM110
            if not contains(find(document)):
                return False
        return True

    return every


def containing(wanted: Any) -> Contains:
    """Whether a value contains what is wanted."""
    if isinstance(wanted, dict):
        keys = all_found([(key_of(key), containing(value)) for key, value in wanted.items()])
        return lambda value: value.__class__ is dict and keys(value)
    if isinstance(wanted, list):
        items = [containing(item) for item in wanted]
        return lambda value: value.__class__ is list and contains_items(list(value), items)
    return equality(wanted)


def key_of(key: str) -> Lookup:
    return lambda document: document.get(key, MISSING)


def contains_items(left: list[Any], wanted: list[Contains]) -> bool:
    """Each in turn takes the first item that contains it."""
    for contains in wanted:
        taken = next((index for index, item in enumerate(left) if contains(item)), None)
        if taken is None:
            return False
        del left[taken]
    return True


@compile.register
def compile_select(node: nodes.Select) -> Test:
    find, index, holds = lookup(node.field), node.index, compile(node.child)

    def selected(document: Document) -> bool:
        value = find(document)
        if value.__class__ is not list or not -len(value) <= index < len(value):
            return False
        return holds({"value": value[index]})

    return selected


@compile.register(nodes.Circle)
@compile.register(nodes.Ring)
@compile.register(nodes.Box)
@compile.register(nodes.Polygon)
def compile_geo(node: nodes.Geo) -> Test:
    find, inside = lookup(node.field), geometry.inside(node)

    def is_inside(document: Document) -> bool:
        point = points.read(find(document))
        return point is not None and inside(*point)

    return is_inside
