"""The walk through a query, and what the shapes of its clauses are made of.

A shape judges a value at a path and answers what stands there in the query that Elasticsearch is
asked. All raise `InvalidFilter`.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from schemas.native_query.limits import LEAST_STATES, LONGEST_NAME, MOST_STATES, Allowance
from services.errors import InvalidFilter, shortened

JSON = dict[str, Any]

#: An option that is never taken, and why.
REFUSED: Mapping[str, str] = {
    "script": "scripts are not taken.",
    "script_score": "scripts are not taken.",
    "minimum_should_match_script": "scripts are not taken: use minimum_should_match or minimum_should_match_field.",
    "percolate": "reads queries that are stored: write them here.",
    "rule": "reads rules of another index.",
    "rule_query": "reads rules of another index.",
    "has_child": "joins documents: an export has measures only.",
    "has_parent": "joins documents: an export has measures only.",
    "parent_id": "joins documents: an export has measures only.",
    "indexed_shape": "reads another document: write its shape here.",
    "inner_hits": "an export has rows, and nothing beside them.",
    "wrapper": "hides a query: write it as it is.",
    "semantic": "asks a model for what to look for: write a query of terms.",
    "text_expansion": "asks a model for what to look for: use sparse_vector with a query_vector.",
    "inference_id": "asks a model for what to look for: use query_vector.",
    "query_vector_builder": "asks a model for what to look for: use query_vector.",
    "routing": "reads where the export does not.",
    "cutoff_frequency": "Elasticsearch has not known it since 8.0.",
}


class Walk:
    """Walks through one query. `now_ms`: the instant of the request, epoch milliseconds.

    `scored`: where the query lies within a `min_score`, so that its score decides which documents
    match.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.budget = Allowance()
        self.scored = False
        self._regexps: list[tuple[JSON, str]] = []

    @contextlib.contextmanager
    def scoring(self, decides: bool) -> Iterator[None]:
        before, self.scored = self.scored, self.scored or decides
        try:
            yield
        finally:
            self.scored = before

    def share(self, regexp: JSON, path: str) -> None:
        """Note a regular expression that does not say what it may take: it is told at the end."""
        self._regexps.append((regexp, path))
        self.budget.spend_effort(LEAST_STATES, path)

    def finish(self) -> None:
        """Share what is left among the regular expressions; enough is enough."""
        for number, (regexp, _) in enumerate(self._regexps):
            states = min(MOST_STATES, LEAST_STATES + self.budget.effort // (len(self._regexps) - number))
            self.budget.effort -= states - LEAST_STATES
            if states < MOST_STATES:
                regexp["max_determinized_states"] = states


Shape = Callable[[Walk, Any, str], Any]

#: Judges what several options of one clause come to together.
Cost = Callable[[Walk, JSON, str], None]


def at(path: str, name: str) -> str:
    return f"{path}.{shortened(name)}"


def find(shapes: Mapping[str, Shape], name: str, path: str, unknown: str) -> Shape:
    if name in shapes:
        return shapes[name]
    raise InvalidFilter(at(path, name), shortened(name), REFUSED.get(name, unknown))


def an_object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidFilter(path, None, "must be an object.")
    return value


def each(item: Shape) -> Shape:
    """Return the shape of one value, or an array of them."""

    def judge(walk: Walk, value: Any, path: str) -> Any:
        if not isinstance(value, list):
            return item(walk, value, path)
        return [item(walk, held, f"{path}[{number}]") for number, held in enumerate(value)]

    return judge


def listed(item: Shape) -> Shape:
    """Return the shape of an array of values, which are counted; or one of them."""

    def judge(walk: Walk, value: Any, path: str) -> Any:
        walk.budget.spend_values(len(value) if isinstance(value, list) else 1, path)
        return each(item)(walk, value, path)

    return judge


def parts(cost: Cost | None = None, /, **options: Shape) -> Shape:
    """Return the shape of an object with these keys only."""

    def judge(walk: Walk, value: Any, path: str) -> JSON:
        unknown = f"is unknown here: {', '.join(sorted(options))}."
        judged = {
            name: find(options, name, path, unknown)(walk, held, at(path, name))
            for name, held in an_object(value, path).items()
        }
        if cost is not None:
            cost(walk, judged, path)
        return judged

    return judge


def short(scalar: Shape, name: str, whole: Shape, *, kept: bool = True) -> Shape:
    """Return the shape of an object, or the value of its main option alone.

    Without `kept` that is asked as an object, which may get more.
    """

    def judge(walk: Walk, value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            return whole(walk, value, path)
        judged = whole(walk, {name: scalar(walk, value, path)}, path)
        return value if kept else judged

    return judge


def by_field(argument: Shape, **options: Shape) -> Shape:
    """Return the shape of an object with a field as its key, whose argument has this shape, and
    these options beside it.
    """

    def judge(walk: Walk, value: Any, path: str) -> JSON:
        named = [name for name in an_object(value, path) if name not in options]
        if len(named) != 1:
            raise InvalidFilter(path, None, "must name one field.")
        check_name(named[0], path)
        return {name: options.get(name, argument)(walk, held, at(path, name)) for name, held in value.items()}

    return judge


def check_name(name: str, path: str) -> None:
    if len(name) > LONGEST_NAME:
        raise InvalidFilter(at(path, name), None, f"names a field of more than {LONGEST_NAME:,} characters.")
