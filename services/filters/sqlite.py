"""A filter as SQL, over the columns `id` (text) and `doc` (the JSON text of `_source`).

Every clause is 0 or 1, never NULL: `NOT` would lose rows. `doc` holds no key twice, and characters
beyond ASCII as they are (SQLite compares keys as raw JSON text).

What SQL would read otherwise than Koncorde is left to the evaluator: a clause for every document
(`fallback`), or the whole filter for the few documents that `oddities` tells apart.
"""

import functools
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from services.filters.koncorde import nodes
from services.filters.koncorde.parse import parse
from services.filters.koncorde.write import write
from services.filters.python.evaluator import Test
from services.filters.python.evaluator import compile as evaluator
from services.scheduling.tick import Tick, no_tick

#: Clauses that the functions of a connection keep compiled.
COMPILED_CLAUSES = 1024

#: From 2**63 on `json_extract` rounds integers; well below it nothing is near enough to be taken for another.
EXACT_BELOW = 2**62

#: No array is as long; paths of SQLite count modulo 2**32.
LAST_INDEX = 2**31 - 1

#: Parentheses within parentheses: the parser of SQLite stacks up to four symbols for each, and holds a hundred.
MOST_NESTED = 20

NUL = "\x00"


@dataclass(frozen=True)
class Clause:
    """A boolean expression, and the values of its `?` in order."""

    sql: str
    parameters: tuple[Any, ...] = ()


TRUE = Clause("1")
FALSE = Clause("0")


class Unsayable(Exception):
    """SQL has no words for a node."""


class Document:
    """The subject of a filter: a whole document."""

    def holds_id(self, field: str) -> bool:
        return field == "_id"

    def path(self, field: str) -> str | None:
        if field.startswith("_id."):
            raise Unsayable(field)
        return "$" + keys(field.split("."))


@dataclass(frozen=True)
class Element:
    """The subject of the filter of a `select`: `{"value": element}`, the element being at `base`."""

    base: str

    def holds_id(self, field: str) -> bool:
        return False

    def path(self, field: str) -> str | None:
        """Return the path of a field; `None`: such a field never exists."""
        first, *others = field.split(".")
        return self.base + keys(others) if first == "value" else None


View = Document | Element


def translate(node: nodes.Filter) -> Clause:
    """Return a filter as SQL, which needs the functions of `register`."""
    clause = expression(node, Document())
    if nested(clause.sql) > MOST_NESTED:
        return fallback(node)
    odd = sorted(oddities(node))
    if not odd:
        return clause
    seldom = any_of(Clause("instr(doc, ?)", (text,)) for text in odd)
    return join("(CASE WHEN ", seldom, " THEN ", fallback(node), " ELSE ", clause, " END)")


def register(connection: sqlite3.Connection, tick: Tick = no_tick) -> None:
    """Give a connection the functions that clauses call.

    `tick` is called within these functions, which may take long; what it raises ends the statement.
    """

    @functools.lru_cache(COMPILED_CLAUSES)
    def compiled(clause: str) -> Test:
        return evaluator(parse(json.loads(clause)), tick)

    def k_filter(clause: str, _id: str, doc: str) -> bool:
        """Return whether the document matches. `clause`: JSON of a filter."""
        tick()
        return compiled(clause)({**json.loads(doc), "_id": _id})

    def k_value(clause: str, value: str | None) -> bool:
        """Return whether `{"value": value}` matches. `value`: JSON; `None`: missing."""
        tick()
        return value is not None and compiled(clause)({"value": json.loads(value)})

    connection.create_function("k_filter", 3, k_filter, deterministic=True)
    connection.create_function("k_value", 2, k_value, deterministic=True)


def nested(sql: str) -> int:
    """Return how many parentheses are open at the most."""
    return max(itertools.accumulate((character == "(") - (character == ")") for character in sql))


def fallback(node: nodes.Filter) -> Clause:
    return Clause("k_filter(?, id, doc)", (json_of(node),))


def json_of(node: nodes.Filter) -> str:
    return json.dumps(write(node))


def oddities(node: nodes.Filter) -> Iterator[str]:
    """Return texts of which a `doc` holds one when SQL might misread it; that it holds one proves
    nothing.

    A literal key `b.c` may be meant by the path `a.b.c`; `json_extract` ends a text at a NUL.
    """
    found: set[str] = set()
    left: list[nodes.Filter] = [node]
    while left:
        part = left.pop()
        left += parts(part)
        found |= odd_keys(getattr(part, "field", "")) | odd_texts(part)
    yield from found


def parts(node: nodes.Filter) -> Sequence[nodes.Filter]:
    match node:
        case nodes.And(children) | nodes.Or(children):
            return children
        case nodes.Not(child) | nodes.Select(_, _, child):
            return (child,)
        case nodes.Match() if scalar(node):
            return equalities(node)
    return ()


def odd_keys(field: str) -> set[str]:
    names = field.split(".")
    return {f"{name}.{after}" for name, after in itertools.pairwise(names)}


def odd_texts(node: nodes.Filter) -> set[str]:
    match node:
        case nodes.Equals(field, str()) | nodes.Item(field, str()) | nodes.In(field) if field != "_id":
            return {"\\u0000"}
    return set()


def join(*pieces: str | Clause) -> Clause:
    clauses = [piece if isinstance(piece, Clause) else Clause(piece) for piece in pieces]
    values = tuple(value for clause in clauses for value in clause.parameters)
    return Clause("".join(clause.sql for clause in clauses), values)


def all_of(clauses: Iterable[Clause]) -> Clause:
    return tree(list(clauses), " AND ", TRUE)


def any_of(clauses: Iterable[Clause]) -> Clause:
    return tree(list(clauses), " OR ", FALSE)


def tree(clauses: list[Clause], operator: str, empty: Clause) -> Clause:
    """Return clauses joined in a balanced tree: SQLite takes expressions no deeper than 1000."""
    if len(clauses) < 2:
        return clauses[0] if clauses else empty
    half = len(clauses) // 2
    left, right = tree(clauses[:half], operator, empty), tree(clauses[half:], operator, empty)
    return join("(", left, operator, right, ")")


def keys(names: Sequence[str]) -> str:
    return "".join(f'."{said_key(name)}"' for name in names)


def said_key(name: str) -> str:
    """Return a key as a path of SQLite can write it."""
    if not name or any(character < " " or character in '"\\' for character in name):
        raise Unsayable(name)
    return said(name)


def said(text: str) -> str:
    """Return a text that can be bound and compared: `json_extract` ends at a NUL, lone surrogates are no UTF-8."""
    if NUL in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Unsayable(text)
    return text


def said_number(value: float) -> float:
    if abs(value) >= EXACT_BELOW:
        raise Unsayable(value)
    return value


def kind(path: str) -> Clause:
    return Clause("json_type(doc, ?)", (path,))


def content(path: str) -> Clause:
    return Clause("json_extract(doc, ?)", (path,))


def has_kind(path: str, name: str) -> Clause:
    return join("(", kind(path), f" IS '{name}')")


def is_number(path: str) -> Clause:
    return join("(COALESCE(", kind(path), ", '') IN ('integer', 'real'))")


def one_of(texts: Iterable[str]) -> Clause:
    return Clause("IN (SELECT value FROM json_each(?))", (json.dumps([said(text) for text in texts]),))


def expression(node: nodes.Filter, view: View) -> Clause:
    """Return a node as SQL, or as a call of the evaluator where the whole document is at hand."""
    try:
        return say(node, view)
    except Unsayable:
        if isinstance(view, Element):
            raise
        return fallback(node)


@singledispatch
def say(node: Any, view: View) -> Clause:
    """Return a node as SQL. Raises `Unsayable`."""
    raise TypeError(f"Not a filter: {node!r}")


@say.register
def say_all(node: nodes.All, view: View) -> Clause:
    return TRUE


@say.register
def say_nothing(node: nodes.Nothing, view: View) -> Clause:
    return FALSE


@say.register
def say_and(node: nodes.And, view: View) -> Clause:
    return all_of(expression(child, view) for child in node.children)


@say.register
def say_or(node: nodes.Or, view: View) -> Clause:
    return any_of(expression(child, view) for child in node.children)


@say.register
def say_not(node: nodes.Not, view: View) -> Clause:
    return join("(NOT ", expression(node.child, view), ")")


@say.register
def say_equals(node: nodes.Equals, view: View) -> Clause:
    if view.holds_id(node.field):
        return Clause("(id = ?)", (said(node.value),)) if isinstance(node.value, str) else FALSE
    path = view.path(node.field)
    return FALSE if path is None else equal(path, node.value)


def equal(path: str, value: nodes.Scalar) -> Clause:
    if value is None or isinstance(value, bool):
        return has_kind(path, json.dumps(value))
    if isinstance(value, str):
        return join("(", has_kind(path, "text"), " AND ", content(path), " = ", Clause("?", (said(value),)), ")")
    return join("(", is_number(path), " AND ", content(path), " = ", Clause("?", (said_number(value),)), ")")


@say.register
def say_in(node: nodes.In, view: View) -> Clause:
    if view.holds_id(node.field):
        return join("(id ", one_of(node.values), ")")
    path = view.path(node.field)
    if path is None:
        return FALSE
    return join("(", has_kind(path, "text"), " AND ", content(path), " ", one_of(node.values), ")")


@say.register
def say_has(node: nodes.Has, view: View) -> Clause:
    if view.holds_id(node.field):
        return TRUE
    path = view.path(node.field)
    return FALSE if path is None else present(path)


def present(path: str) -> Clause:
    return join("(", kind(path), " IS NOT NULL)")


@say.register
def say_item(node: nodes.Item, view: View) -> Clause:
    path = None if view.holds_id(node.field) else view.path(node.field)
    if path is None or isinstance(node.value, list | dict):
        return FALSE
    some = join(
        "EXISTS (SELECT 1 FROM json_each(doc, ", Clause("?", (path,)), ") AS e WHERE ", element(node.value), ")"
    )
    return join("(", has_kind(path, "array"), " AND ", some, ")")


def element(value: nodes.Scalar) -> Clause:
    """Return the test of the row `e` of `json_each`."""
    if value is None or isinstance(value, bool):
        return Clause(f"e.type = '{json.dumps(value)}'")
    if isinstance(value, str):
        return Clause("e.type = 'text' AND e.atom = ?", (said(value),))
    return Clause("e.type IN ('integer', 'real') AND e.atom = ?", (said_number(value),))


@say.register
def say_range(node: nodes.Range, view: View) -> Clause:
    path = None if view.holds_id(node.field) else view.path(node.field)
    if path is None:
        return FALSE
    signs = {">": node.gt, ">=": node.gte, "<": node.lt, "<=": node.lte}
    bounds = [(sign, said_number(bound)) for sign, bound in signs.items() if bound is not None]
    limits = [join(content(path), f" {sign} ", Clause("?", (bound,))) for sign, bound in bounds]
    return all_of([is_number(path), *limits])


@say.register(nodes.Regexp)
@say.register(nodes.Circle)
@say.register(nodes.Ring)
@say.register(nodes.Box)
@say.register(nodes.Polygon)
def say_value(node: nodes.Regexp | nodes.Geo, view: View) -> Clause:
    """Return what only the evaluator can tell of a value."""
    if view.holds_id(node.field):
        raise Unsayable(node.field)
    path = view.path(node.field)
    if path is None:
        return FALSE
    call = Clause("k_value(?, doc -> ?)", (json_of(replace(node, field="value")), path))
    return join("(", present(path), " AND ", call, ")")


@say.register
def say_match(node: nodes.Match, view: View) -> Clause:
    if not scalar(node):
        raise Unsayable(node.argument)
    return all_of(expression(equality, view) for equality in equalities(node))


def scalar(node: nodes.Match) -> bool:
    return not any(isinstance(value, list | dict) for value in node.argument.values())


def equalities(node: nodes.Match) -> list[nodes.Equals]:
    return [nodes.Equals(field, value) for field, value in node.argument.items()]


@say.register
def say_select(node: nodes.Select, view: View) -> Clause:
    path = None if view.holds_id(node.field) else view.path(node.field)
    if path is None or abs(node.index) > LAST_INDEX:
        return FALSE
    chosen = f"{path}[{node.index}]" if node.index >= 0 else f"{path}[#{node.index}]"
    return all_of([has_kind(path, "array"), present(chosen), expression(node.child, Element(chosen))])
