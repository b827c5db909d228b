"""A filter as Python: what every store's own way of filtering has to mean, and decides where that cannot.

Compiled once into closures: it runs on every row of an export.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import singledispatch
from operator import ge, gt, le, lt
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
    """The paths of a document that decide."""
    return frozenset(named(node))


def named(node: nodes.Filter) -> Iterator[str]:
    match node:
        case nodes.And(children) | nodes.Or(children):
            for child in children:
                yield from named(child)
        case nodes.Not(child):
            yield from named(child)
        case nodes.Match(argument):
            yield from argument
        case nodes.All() | nodes.Nothing():
            pass
        case _:
            yield node.field


# Fields


def lookup(path: str) -> Lookup:
    """What finds the value there; `MISSING`: none. Keys with a dot in them count as well as keys within keys."""
    names = path.split(".")
    if len(names) == 1:
        return lambda document: document.get(path, MISSING)
    if len(names) == 2:
        return pair(path, *names)
    return chain(path, names)


def pair(path: str, outer: str, inner: str) -> Lookup:
    def find(document: Document) -> Any:
        if path in document:
            return last(document, path)
        found = document.get(outer)
        return found.get(inner, MISSING) if found.__class__ is dict else MISSING

    return find


def chain(path: str, names: list[str]) -> Lookup:
    """Each step: a key, and the keys with dots beside it that lead there as well."""
    ends = range(len(names))
    steps = [(names[at], [".".join(names[at:end + 1]) for end in ends[at + 1:]]) for at in ends]  # fmt: skip

    def find(document: Document) -> Any:
        found: Any = document
        for name, dotted in steps:
            if found.__class__ is not dict:
                return MISSING
            for key in dotted:
                if key in found:
                    return last(document, path)
            found = found.get(name, MISSING)
        return found

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
    find, equal = lookup(node.field), equality(node.value)

    def holds_it(document: Document) -> bool:
        value = find(document)
        return value.__class__ is list and any(equal(item) for item in value)

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
    find = lookup(node.field)
    limits = [(ge, node.gte), (gt, node.gt), (le, node.lte), (lt, node.lt)]
    tests = [(compare, bound) for compare, bound in limits if bound is not None]

    def in_range(document: Document) -> bool:
        value = find(document)
        if value.__class__ is not float and value.__class__ is not int:
            return False
        for compare, bound in tests:  # noqa: SIM110
            if not compare(value, bound):
                return False
        return True

    return in_range


@compile.register
def compile_regexp(node: nodes.Regexp) -> Test:
    find, found = lookup(node.field), regexps.finder(node.pattern, at_start="y" in node.flags)

    def is_found(document: Document) -> bool:
        value = find(document)
        return value.__class__ is str and found(value) is not None

    return is_found


@compile.register
def compile_match(node: nodes.Match) -> Test:
    wanted = [(lookup(path), value) for path, value in node.argument.items()]
    return lambda document: all(contains(find(document), value) for find, value in wanted)


def contains(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(contains(value.get(key, MISSING), each) for key, each in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and contains_items(list(value), wanted)
    return equality(wanted)(value)


def contains_items(left: list[Any], wanted: list[Any]) -> bool:
    """Each in turn takes the first item that contains it."""
    for each in wanted:
        taken = next((index for index, item in enumerate(left) if contains(item, each)), None)
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
        return point is not None and inside(point.lat, point.lon)

    return is_inside
