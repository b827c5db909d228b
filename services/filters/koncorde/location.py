"""The location of a part of a filter, which errors name, and the limits of what a filter may hold."""

import difflib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec

from services.errors import InvalidFilter, shortened, unicode

#: Filters within filters, `match`'s objects and arrays among them.
DEEPEST = 50

#: Filters in all, those that hold others included.
MOST_CLAUSES = 1000

#: Of `in`, `ids`, `match` and polygons, in all.
MOST_VALUES = 10_000

#: Of compiled patterns, in all: some twenty milliseconds to make.
MOST_STEPS = 20_000

#: Characters of a value: more than a link has room for.
LONGEST_TEXT = 10_000

#: Characters of the path of a field.
LONGEST_FIELD = 1000

#: Names that dots part in the path of a field.
MOST_NAMES = 50

KINDS = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", int: "a number", float: "a number"}


@dataclass
class Limits:
    """Counts what a filter may still hold."""

    clauses: int = MOST_CLAUSES
    values: int = MOST_VALUES
    steps: int = MOST_STEPS


@dataclass(slots=True)
class Location:
    """A place in a filter. `path`: as errors name it, such as `query.and[1].range`.

    Not frozen, for speed: a filter has thousands.
    """

    path: str = "query"
    keyword: str | None = None
    depth: int = 0
    budget: Limits = field(default_factory=Limits)

    def key(self, name: str) -> "Location":
        return Location(f"{self.path}.{shortened(name)}", self.keyword, self.depth, self.budget)

    def item(self, index: int) -> "Location":
        return Location(f"{self.path}[{index}]", self.keyword, self.depth, self.budget)

    def under(self, keyword: str) -> "Location":
        return Location(f"{self.path}.{shortened(keyword)}", keyword, self.depth, self.budget)

    def deeper(self) -> "Location":
        """Check that a filter may be nested here. Raises `InvalidFilter`."""
        if self.depth == DEEPEST:
            raise self.refuse(f"is nested too deep: a filter has at most {DEEPEST} levels.")
        return Location(self.path, self.keyword, self.depth + 1, self.budget)

    def count_clause(self) -> None:
        """Count one clause. Raises `InvalidFilter`."""
        self.budget.clauses -= 1
        if self.budget.clauses < 0:
            self.refuse_clause()

    def refuse_clause(self) -> NoReturn:
        raise self.refuse(f"is one clause too many: a filter has at most {MOST_CLAUSES}.")

    def check_clauses(self, count: int) -> None:
        """Check that so many clauses may follow, before any is read. Raises `InvalidFilter`."""
        if count > self.budget.clauses:
            self.item(self.budget.clauses).refuse_clause()

    def count_values(self, count: int) -> None:
        """Count values. Raises `InvalidFilter`."""
        self.budget.values -= count
        if self.budget.values < 0:
            raise self.refuse(f"holds too many values: a filter has at most {MOST_VALUES} in its lists.")

    def count_steps(self, count: int) -> None:
        """Count the steps of a regular expression. Raises `InvalidFilter`."""
        self.budget.steps -= count
        if self.budget.steps < 0:
            raise self.refuse("is one large pattern too many: write fewer, or with fewer repetitions and classes.")

    def refuse(self, reason: str) -> InvalidFilter:
        return InvalidFilter(unicode(self.path), self.keyword and shortened(self.keyword), unicode(reason))


def check_length(text: str, location: Location) -> None:
    """Raise `InvalidFilter` for a text that is too long."""
    if len(text) > LONGEST_TEXT:
        raise location.refuse(f"is too long: a text has at most {LONGEST_TEXT:,} characters.")


def check_text(value: Any, location: Location) -> None:
    """Raise `InvalidFilter` where text is no Unicode, which neither a link nor a store can hold."""
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, RecursionError):
        for at in surrogates(value, location):
            raise at.refuse("is text that is no Unicode (a lone surrogate).") from None


def surrogates(value: Any, location: Location) -> Iterator[Location]:
    left = [(value, location)]
    while left:
        value, location = left.pop()
        if isinstance(value, str) and unicode(value) != value:
            yield location
        elif isinstance(value, dict):
            left += [
                pair for key, item in value.items() for pair in ((item, location.key(key)), (key, location.key(key)))
            ]
        elif isinstance(value, list):
            left += [(item, location.item(index)) for index, item in enumerate(value)]


def shown(value: Any) -> str:
    """Return a value as an error repeats it; objects and arrays by their kind."""
    if isinstance(value, dict | list):
        return kind(value)
    return shortened(json.dumps(value, ensure_ascii=False))


def kind(value: Any) -> str:
    return KINDS.get(type(value), "null")


def listed(names: Collection[str]) -> str:
    """Return names as `"a", "b"`; the first few of many."""
    return ", ".join(shown(name) for name in list(names)[:5]) + (", ..." if len(names) > 5 else "")


def similar(name: str, names: Collection[str]) -> str:
    """Return `: did you mean "x"?` where a name is near, else a full stop."""
    near = difflib.get_close_matches(shortened(name).lower(), [each.lower() for each in names], n=1, cutoff=0.7)
    meant = [each for each in names if each.lower() in near]
    return f': did you mean "{meant[0]}"?' if meant else "."
