"""Boolean queries of Elasticsearch, put together as few and as flat as can be, and written as JSON.

Negation stands before leaves only: `no` turns `every` into `some`. So a level of the written query
is an alternation of the two, and what is too deep for Elasticsearch can be left out on the safe
side.

Where indices are to be asked differently, `split` asks each for its own: a query that another index
would refuse stands beside a condition on `_index`, which ends the matter there before the query is
looked at.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

#: Levels of `bool`: Elasticsearch takes 29, of which others are ours.
MOST_LEVELS = 25

#: Elasticsearch takes as many as its memory allows; 20,000 passed in a gigabyte.
MOST_LEAVES = 4000


@dataclass(frozen=True)
class Leaf:
    """A query as it is. `negated`: what it does not match."""

    query: JSON
    negated: bool = False


@dataclass(frozen=True)
class Every:
    children: tuple["Expression", ...]


@dataclass(frozen=True)
class Some:
    children: tuple["Expression", ...]


@dataclass(frozen=True)
class Split:
    """What is asked in each group of indices, named; in an index of no group nothing matches."""

    cases: tuple[tuple[tuple[str, ...], "Expression"], ...]


Expression = Leaf | Every | Some | Split

ALL = Every(())
NONE = Some(())


def every(expressions: Iterable[Expression]) -> Expression:
    """Return what matches all expressions; of none, `ALL`."""
    children = tuple(child for each in expressions for child in (each.children if isinstance(each, Every) else (each,)))
    if NONE in children:
        return NONE
    return children[0] if len(children) == 1 else Every(children)


def some(expressions: Iterable[Expression]) -> Expression:
    """Return what matches at least one expression; of none, `NONE`."""
    children = tuple(child for each in expressions for child in (each.children if isinstance(each, Some) else (each,)))
    if ALL in children:
        return ALL
    return children[0] if len(children) == 1 else Some(children)


def split(cases: Iterable[tuple[tuple[str, ...], Expression]]) -> Expression:
    """Return what is asked of groups of indices that share nothing; where each is asked the same, just that."""
    groups: list[tuple[tuple[str, ...], Expression]] = []
    for names, expression in cases:
        same = next((at for at, (_, other) in enumerate(groups) if other == expression), None)
        if same is None:
            groups.append((names, expression))
        else:
            groups[same] = ((*groups[same][0], *names), expression)
    return groups[0][1] if len(groups) == 1 else Split(tuple(groups))


def within(names: Collection[str], expression: Expression) -> Expression:
    """Return what matches in these indices; no other one looks at it."""
    return every((Leaf({"terms": {"_index": list(names)}}), expression))


def no(expression: Expression) -> Expression:
    """Return the complement."""
    if isinstance(expression, Leaf):
        return Leaf(expression.query, not expression.negated)
    if isinstance(expression, Split):
        return split((names, no(each)) for names, each in expression.cases)
    opposite = some if isinstance(expression, Every) else every
    return opposite(map(no, expression.children))


def without(expression: Expression, kinds: Collection[str], instead: Expression) -> Expression:
    """Return an expression with `instead` in place of leaves of these kinds, negated or not."""
    if isinstance(expression, Leaf):
        return instead if kinds and expression.query.keys() & kinds else expression
    if isinstance(expression, Split):
        return split((names, without(each, kinds, instead)) for names, each in expression.cases)
    children = (without(child, kinds, instead) for child in expression.children)
    return every(children) if isinstance(expression, Every) else some(children)


def cut(expression: Expression, beyond: Expression) -> Expression:
    """Return an expression with `beyond` in place of what Elasticsearch would find too deep, or too much."""
    return beyond if leaves(expression) > MOST_LEAVES else shallow(expression, MOST_LEVELS, beyond)


def shallow(expression: Expression, levels: int, beyond: Expression) -> Expression:
    if isinstance(expression, Split):
        return shallow(joined(expression), levels, beyond)
    if isinstance(expression, Leaf) or not expression.children:
        return expression
    if levels == 1:
        return beyond
    children = (shallow(child, levels - 1, beyond) for child in expression.children)
    return every(children) if isinstance(expression, Every) else some(children)


def joined(expression: Split) -> Expression:
    return some(within(names, each) for names, each in expression.cases)


def leaves(expression: Expression) -> int:
    """Count the leaves; the name of an index counts as one."""
    if isinstance(expression, Split):
        return sum(len(names) + leaves(each) for names, each in expression.cases)
    return 1 if isinstance(expression, Leaf) else sum(map(leaves, expression.children))


def query_of(expression: Expression) -> JSON:
    if isinstance(expression, Leaf):
        return {"bool": {"must_not": [expression.query]}} if expression.negated else expression.query
    if isinstance(expression, Split):
        return query_of(joined(expression))
    if not expression.children:
        return {"match_all": {}} if expression == ALL else {"match_none": {}}
    if isinstance(expression, Every):
        return {"bool": all_of(expression.children)}
    return {"bool": {"should": list(map(query_of, expression.children)), "minimum_should_match": 1}}


def all_of(children: Iterable[Expression]) -> JSON:
    """Return the parts of a `bool`."""
    parts: JSON = {"filter": [], "must_not": []}
    for child in children:
        if isinstance(child, Leaf) and child.negated:
            parts["must_not"].append(child.query)
        else:
            parts["filter"].append(query_of(child))
    return {name: queries for name, queries in parts.items() if queries}
