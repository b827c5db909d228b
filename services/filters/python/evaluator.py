"""The evaluator: a filter as Python, which is what the other ways of filtering must mean.

It also decides where those cannot. A filter is compiled once into closures: it runs on every row of
an export. A row may take long, by its clauses or by what it holds: then `tick` is called every now
and then, and what that raises ends the evaluation.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import singledispatch
from typing import Any

from services.filters.koncorde import nodes, points, regexps
from services.filters.koncorde.weight import weight
from services.filters.python import geodesy
from services.scheduling.tick import Tick, no_tick

Document = Mapping[str, Any]
Test = Callable[[Document], bool]
Lookup = Callable[[Document], Any]

#: The value of a field that a document has not.
MISSING = object()

#: Clauses between two ticks: some ten microseconds. A filter of no more is compiled as if there were none.
TICK_CLAUSES = 64

#: Items of an array that are compared between two.
TICK_ITEMS = 1000


def matches(node: nodes.Filter, document: Document) -> bool:
    """Return whether a document matches, which has its `_id` among its keys."""
    return compile(node)(document)


def fields(node: nodes.Filter) -> frozenset[str]:
    """Return the paths whose values decide. With a dot at its end: all of an object there does, not
    only that it is one.
    """
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


def lookup(path: str, tick: Tick = no_tick) -> Lookup:
    """Return what finds the value at a path; `MISSING`: none. Keys with a dot in them count as well
    as keys within keys.
    """
    outer, *others = path.split(".")
    if not others:
        return lambda document: document.get(path, MISSING)
    if len(others) == 1:
        return pair(path, outer, others[0], tick)
    return chain(path, outer, others, tick)


def pair(path: str, outer: str, inner: str, tick: Tick) -> Lookup:
    def find(document: Document) -> Any:
        if path in document:
            tick()
            return last(document, path)
        found = document.get(outer)
        return found.get(inner, MISSING) if found.__class__ is dict else MISSING

    return find


def chain(path: str, outer: str, others: list[str], tick: Tick) -> Lookup:
    rivals = [".".join((outer, *others[:end])) for end in range(1, len(others) + 1)]
    inside: Lookup | None = None  # made when it is needed: most documents have no such levels

    def find(document: Document) -> Any:
        nonlocal inside
        for key in rivals:
            if key in document:
                tick()
                return last(document, path)
        found = document.get(outer)
        if found.__class__ is not dict:
            return MISSING
        if inside is None:
            inside = lookup(".".join(others), tick)
        return inside(found)

    return find


def last(document: Document, path: str) -> Any:
    """Return the value at a path. Where several keys lead there, it is the last one's."""
    found: Any = MISSING
    for key, value in document.items():
        if key == path:
            found = value
        elif value.__class__ is dict and path.startswith(f"{key}."):
            deeper = last(value, path[len(key) + 1 :])
            found = found if deeper is MISSING else deeper
    return found


# Filters


def compile(node: nodes.Filter, tick: Tick = no_tick) -> Test:
    """Return the test of a filter. `tick` is called within a row that takes long."""
    return made(node, tick)


@singledispatch
def made(node: Any, tick: Tick) -> Test:
    raise TypeError(f"Not a filter: {node!r}")


@made.register
def make_all(node: nodes.All, tick: Tick) -> Test:
    return lambda document: True


@made.register
def make_nothing(node: nodes.Nothing, tick: Tick) -> Test:
    return lambda document: False


@made.register
def make_and(node: nodes.And, tick: Tick) -> Test:
    return all_of(groups(node.children, nodes.And, tick))


def all_of(children: list[Test]) -> Test:
    def every(document: Document) -> bool:
        for holds in children:  # noqa: SIM110
            if not holds(document):
                return False
        return True

    return every


@made.register
def make_or(node: nodes.Or, tick: Tick) -> Test:
    children = groups(node.children, nodes.Or, tick)

    def some(document: Document) -> bool:
        for holds in children:  # noqa: SIM110
            if holds(document):
                return True
        return False

    return some


def groups(children: Sequence[nodes.Filter], kind: type[nodes.And | nodes.Or], tick: Tick) -> list[Test]:
    """Return the tests of a list; of one that holds many clauses, those of its parts, with a tick before each."""
    parts = list(parted(children))
    if len(parts) == 1:
        return [made(child, tick) for child in children]
    return [ticking(part[0] if len(part) == 1 else kind(part), tick) for part in parts]


def parted(children: Sequence[nodes.Filter]) -> Iterator[tuple[nodes.Filter, ...]]:
    """Yield children in parts of few clauses each; a child that holds more is one by itself."""
    part: list[nodes.Filter] = []
    held = 0
    for child in children:
        own = weight(child)
        if part and held + own > TICK_CLAUSES:
            yield tuple(part)
            part, held = [], 0
        part.append(child)
        held += own
    yield tuple(part)


def ticking(node: nodes.Filter, tick: Tick) -> Test:
    """Return a child's test, with a tick before; and one before it is made."""
    tick()
    return ticked_test(made(node, tick), tick)


def ticked_test(holds: Test, tick: Tick) -> Test:
    def ticked(document: Document) -> bool:
        tick()
        return holds(document)

    return ticked


@made.register
def make_not(node: nodes.Not, tick: Tick) -> Test:
    holds = made(node.child, tick)
    return lambda document: not holds(document)


@made.register
def make_equals(node: nodes.Equals, tick: Tick) -> Test:
    find, value = lookup(node.field, tick), node.value
    if value is None or isinstance(value, bool):
        return lambda document: find(document) is value
    if isinstance(value, str):
        return lambda document: bool(find(document) == value)
    return lambda document: same_number(find(document), value)


def same_number(value: Any, number: float) -> bool:
    return value.__class__ is not bool and bool(value == number)


@made.register
def make_in(node: nodes.In, tick: Tick) -> Test:
    find, values = lookup(node.field, tick), frozenset(node.values)

    def is_one(document: Document) -> bool:
        value = find(document)
        return value.__class__ is str and value in values

    return is_one


@made.register
def make_has(node: nodes.Has, tick: Tick) -> Test:
    find = lookup(node.field, tick)
    return lambda document: find(document) is not MISSING


@made.register
def make_item(node: nodes.Item, tick: Tick) -> Test:
    find, value = lookup(node.field, tick), node.value
    if isinstance(value, list | dict):
        return lambda document: False
    among = one_of_them(value)

    def holds_it(document: Document) -> bool:
        found = find(document)
        if found.__class__ is not list:
            return False
        return among(found) if len(found) <= TICK_ITEMS else any(map(among, pieces(found, tick)))

    return holds_it


def one_of_them(value: nodes.Scalar) -> Callable[[Sequence[Any]], bool]:
    """Return whether an item is strictly equal. Most have none that is equal even in Python, where `1` is `True`."""
    if isinstance(value, str):
        return lambda items: value in items
    equal = equality(value)
    return lambda items: value in items and any(map(equal, items))


def pieces(items: list[Any], tick: Tick) -> Iterator[list[Any]]:
    """Yield items, few at a time."""
    for start in range(0, len(items), TICK_ITEMS):
        tick()
        yield items[start : start + TICK_ITEMS]


def equality(value: Any) -> Callable[[Any], bool]:
    """Return a strict test; objects and arrays equal nothing."""
    if isinstance(value, list | dict):
        return lambda item: False
    if value is None or isinstance(value, bool):
        return lambda item: item is value
    if isinstance(value, str):
        return lambda item: bool(item == value)
    return lambda item: same_number(item, value)


@made.register
def make_range(node: nodes.Range, tick: Tick) -> Test:
    """Return the test of a range, in which a bound that is not given is infinite, and included."""
    low = next((bound for bound in (node.gt, node.gte) if bound is not None), -math.inf)
    high = next((bound for bound in (node.lt, node.lte) if bound is not None), math.inf)
    return BETWEEN[node.gt is not None, node.lt is not None](lookup(node.field, tick), low, high)


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


@made.register
def make_regexp(node: nodes.Regexp, tick: Tick) -> Test:
    find, found = lookup(node.field, tick), regexps.finder(node.pattern, at_start="y" in node.flags)
    found_in_short = regexps.remembering(found)

    def is_found(document: Document) -> bool:
        value = find(document)
        if value.__class__ is not str:
            return False
        if len(value) <= regexps.KEPT_CHARACTERS:
            return found_in_short(value)
        tick()
        return found(value)

    return is_found


@made.register
def make_match(node: nodes.Match, tick: Tick) -> Test:
    wanted = [(lookup(path, tick), containing(value, tick)) for path, value in node.argument.items()]
    parts = [all_found(wanted[start : start + TICK_CLAUSES]) for start in range(0, len(wanted), TICK_CLAUSES)]
    return parts[0] if len(parts) == 1 else all_of([ticked_test(part, tick) for part in parts])


Contains = Callable[[Any], bool]


def all_found(wanted: list[tuple[Lookup, Contains]]) -> Test:
    def every(document: Document) -> bool:
        for find, contains in wanted:  # noqa: SIM110
            if not contains(find(document)):
                return False
        return True

    return every


def containing(wanted: Any, tick: Tick) -> Contains:
    """Return what tells whether a value contains what is wanted."""
    if isinstance(wanted, dict):
        keys = all_found([(key_of(key), containing(value, tick)) for key, value in wanted.items()])
        return lambda value: value.__class__ is dict and keys(value)
    if isinstance(wanted, list):
        items = [containing(item, tick) for item in wanted]
        return lambda value: value.__class__ is list and contains_items(list(value), items, tick)
    return equality(wanted)


def key_of(key: str) -> Lookup:
    return lambda document: document.get(key, MISSING)


def contains_items(left: list[Any], wanted: list[Contains], tick: Tick) -> bool:
    """Return whether each wanted item, in turn, finds a first item of its own that contains it."""
    for contains in wanted:
        tick()
        taken = next((index for index, item in enumerate(left) if contains(item)), None)
        if taken is None:
            return False
        del left[taken]
    return True


@made.register
def make_select(node: nodes.Select, tick: Tick) -> Test:
    find, index, holds = lookup(node.field, tick), node.index, made(node.child, tick)

    def selected(document: Document) -> bool:
        value = find(document)
        if value.__class__ is not list or not -len(value) <= index < len(value):
            return False
        return holds({"value": value[index]})

    return selected


@made.register(nodes.Circle)
@made.register(nodes.Ring)
@made.register(nodes.Box)
@made.register(nodes.Polygon)
def make_geo(node: nodes.Geo, tick: Tick) -> Test:
    find, inside = lookup(node.field, tick), geodesy.inside(node, tick)

    def is_inside(document: Document) -> bool:
        point = points.coordinates(find(document))
        return point is not None and inside(*point)

    return is_inside
