"""The same filter, with equal clauses written once."""

import json
from collections.abc import Hashable, Sequence

from services.filters.koncorde import nodes
from services.filters.koncorde.write import write


def distinct(node: nodes.Filter) -> nodes.Filter:
    """Return a filter in whose lists no clause stands twice: the first of them stays."""
    return keyed(node)[0]


def keyed(node: nodes.Filter) -> tuple[nodes.Filter, Hashable]:
    """Return a clause, and what only its equals have. `1` and `true` are not equal, as they are in Python."""
    match node:
        case nodes.And(children):
            children, keys = once(children)
            return nodes.And(children), ("and", *keys)
        case nodes.Or(children):
            children, keys = once(children)
            return nodes.Or(children), ("or", *keys)
        case nodes.Not(child):
            child, key = keyed(child)
            return nodes.Not(child), ("not", key)
        case nodes.Select(field, index, child):
            child, key = keyed(child)
            return nodes.Select(field, index, child), ("select", field, index, key)
    return node, json.dumps(write(node), sort_keys=True)


def once(children: Sequence[nodes.Filter]) -> tuple[tuple[nodes.Filter, ...], list[Hashable]]:
    found: dict[Hashable, nodes.Filter] = {}
    for child in children:
        child, key = keyed(child)
        found.setdefault(key, child)
    return tuple(found.values()), list(found)
