"""The weight of a filter: what it costs on a document, roughly, before it has been tried on any."""

from collections.abc import Iterable
from typing import Any

from services.filters.koncorde import nodes

#: Points of a polygon that cost as much as a clause.
POINTS_A_CLAUSE = 50


def weight(node: nodes.Filter) -> int:
    """Count the clauses, without those that hold others; `match` has one for each value in its argument."""
    match node:
        case nodes.And(children) | nodes.Or(children):
            return sum(map(weight, children))
        case nodes.Not(child):
            return weight(child)
        case nodes.Select(_, _, child):
            return 1 + weight(child)
        case nodes.Match(argument):
            return values(argument)
        case nodes.Polygon(_, points):
            return 1 + len(points) // POINTS_A_CLAUSE
    return 1


def values(argument: Any) -> int:
    """Count the scalars in a value, and the objects and arrays that hold none."""
    inner: Iterable[Any] = ()
    if isinstance(argument, dict):
        inner = argument.values()
    elif isinstance(argument, list):
        inner = argument
    return max(1, sum(map(values, inner)))
