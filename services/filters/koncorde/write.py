"""The writer of Koncorde: nodes -> JSON; `parse(write(node)) == node`, and no deeper than what was parsed."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from services.filters.koncorde import distances, nodes, paths

JSON = dict[str, Any]


@singledispatch
def write(node: Any) -> JSON:
    raise TypeError(f"Not a filter: {node!r}")


@write.register
def write_all(node: nodes.All) -> JSON:
    return {}


@write.register
def write_nothing(node: nodes.Nothing) -> JSON:
    return {"nothing": True}


@write.register
def write_and(node: nodes.And) -> JSON:
    """Return an `and` as the `bool` that it was: its parts are a level less deep."""
    parts = bool_parts(node.children)
    if len(parts) > 1:
        return {"bool": {name: write_each(children) for name, children in parts.items()}}
    return {"and": write_each(node.children)}


def bool_parts(children: tuple[nodes.Filter, ...]) -> Mapping[str, tuple[nodes.Filter, ...]]:
    """Return the parts of a `bool` that parses as these children: `must` first, then the others in their order."""
    others: dict[str, tuple[nodes.Filter, ...]] = {}
    for name in ("should_not", "should", "must_not"):
        if children and (part := bool_part(name, children[-1])) is not None:
            others[name] = part
            children = children[:-1]
    musts = {"must": children} if children else {}
    return musts | dict(reversed(others.items()))


def bool_part(name: str, node: nodes.Filter) -> tuple[nodes.Filter, ...] | None:
    """Return the filters of a node, if it is that part of a `bool`; `None`: it is not."""
    match name, node:
        case "must_not", nodes.Not(nodes.Or(children)):
            return children
        case "should_not", nodes.Not(nodes.And(children)):
            return children
        case "should", nodes.Or(children):
            return children
    return None


def write_each(children: tuple[nodes.Filter, ...]) -> list[JSON]:
    return [write(child) for child in children]


@write.register
def write_or(node: nodes.Or) -> JSON:
    return {"or": write_each(node.children)}


@write.register
def write_not(node: nodes.Not) -> JSON:
    match node.child:
        case nodes.Has() | nodes.Item():
            return {"missing": paths.path_of(node.child)}
        case nodes.Or(children):
            return {"bool": {"must_not": write_each(children)}}
        case nodes.And(children):
            return {"bool": {"should_not": write_each(children)}}
    return {"not": write(node.child)}


@write.register
def write_equals(node: nodes.Equals) -> JSON:
    return {"equals": {node.field: node.value}}


@write.register
def write_in(node: nodes.In) -> JSON:
    if node.field == "_id":
        return {"ids": {"values": list(node.values)}}
    return {"in": {node.field: list(node.values)}}


@write.register(nodes.Has)
@write.register(nodes.Item)
def write_exists(node: nodes.Has | nodes.Item) -> JSON:
    return {"exists": paths.path_of(node)}


@write.register
def write_range(node: nodes.Range) -> JSON:
    bounds = {"gt": node.gt, "gte": node.gte, "lt": node.lt, "lte": node.lte}
    return {"range": {node.field: {name: bound for name, bound in bounds.items() if bound is not None}}}


@write.register
def write_regexp(node: nodes.Regexp) -> JSON:
    if not node.flags:
        return {"regexp": {node.field: node.source}}
    return {"regexp": {node.field: {"value": node.source, "flags": node.flags}}}


@write.register
def write_match(node: nodes.Match) -> JSON:
    return {"match": node.argument}


@write.register
def write_select(node: nodes.Select) -> JSON:
    return {"select": {"field": node.field, "index": node.index, "query": write(node.child)}}


def point(node: nodes.Point) -> list[float]:
    return [node.lat, node.lon]


@write.register
def write_circle(node: nodes.Circle) -> JSON:
    return {"geoDistance": {node.field: point(node.centre), "distance": distances.distance_of(node.radius_m)}}


@write.register
def write_ring(node: nodes.Ring) -> JSON:
    limits = {"from": distances.distance_of(node.inner_m), "to": distances.distance_of(node.outer_m)}
    return {"geoDistanceRange": {node.field: point(node.centre), **limits}}


@write.register
def write_box(node: nodes.Box) -> JSON:
    sides = {"top": node.top, "left": node.left, "bottom": node.bottom, "right": node.right}
    return {"geoBoundingBox": {node.field: sides}}


@write.register
def write_polygon(node: nodes.Polygon) -> JSON:
    return {"geoPolygon": {node.field: {"points": [point(each) for each in node.points]}}}
