"""The layout of a file: its columns in order, by what they hold, and their headers."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from services.columns import FIXED, Columns
from services.errors import InvalidArgument, shortened
from services.options import PATH_BEGINNINGS, WHOLE_PATHS, Options, is_path

#: What a column holds: the cell at this place among the fixed ones and all columns, or what a path leads to.
Source = int | str

#: Names that a path holds, as in filters.
MOST_NAMES = 50

#: Headers among which near ones are looked for, and how many of them are named.
LOOKED_AT, NAMED = 2000, 3


@dataclass(frozen=True)
class Layout:
    """`chosen`: what the columns of the file hold, in order; `None`: the fixed cells and all columns."""

    columns: Columns
    headers: tuple[str, ...]
    chosen: tuple[Source, ...] | None = None

    @property
    def sources(self) -> Sequence[Source]:
        return range(len(self.headers)) if self.chosen is None else self.chosen

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths into documents that rows need beside their cells."""
        return tuple(source for source in self.chosen or () if isinstance(source, str))


def layout(columns: Columns, options: Options) -> Layout:
    """Return the layout of a file. Raises `InvalidArgument` for names in `fields` or `fieldsName` that it has not."""
    names = distinct(columns.headers)
    chosen = None if options.fields is None else tuple(sources(names, options.fields))
    own = names if options.fields is None else options.fields
    return Layout(columns, tuple(renamed(own, options.fields_name)), chosen)


def is_early(options: Options) -> bool:
    """Return whether it can be told of all names that the options hold, before it is known which columns there are."""
    names = [*(options.fields or ()), *(name for name, _ in options.fields_name)]
    return all(name in FIXED or is_path(name) for name in names)


def distinct(headers: Sequence[str]) -> tuple[str, ...]:
    """Return headers of which none stands twice: a later one gets ` (2)` or the next number that makes it another."""
    if len(set(headers)) == len(headers):
        return tuple(headers)
    taken, found = set(headers), dict[str, int]()
    for header in headers:
        name = header
        while name in found or (name != header and name in taken):
            found[header] += 1
            name = f"{header} ({found[header]})"
        found[name] = 1
    return tuple(found)


def sources(names: Sequence[str], fields: Sequence[str]) -> Iterator[Source]:
    places = {name: place for place, name in enumerate(names)}
    for field in fields:
        if field in places:
            yield places[field]
        elif is_path(field):
            if field.count(".") >= MOST_NAMES:
                raise InvalidArgument("fields", f'"{shortened(field)}" is too deep: {MOST_NAMES} names at most.')
            yield field
        else:
            raise InvalidArgument("fields", f'has no column "{shortened(field)}". {near(field, names)}')


def near(name: str, names: Collection[str]) -> str:
    """Return the sentence that says what would be right."""
    found = get_close_matches(name, list(islice(names, LOOKED_AT)), NAMED, 0.5)
    paths = f"Or a path: {', '.join(sorted(WHOLE_PATHS))}, or one that begins with {', '.join(PATH_BEGINNINGS)}."
    known = found or [*FIXED[:2], *list(names)[len(FIXED) : len(FIXED) + 1]]
    return f"{'Near it are' if found else 'There are'} {', '.join(map(shortened, known))}. {paths}"


def renamed(names: Sequence[str], given: Sequence[tuple[str, str]]) -> Sequence[str]:
    """Return the headers of columns of these names. Raises `InvalidArgument` for a name that no column has."""
    if not given:
        return names
    headers, known = dict(given), set(names)
    for name in headers:
        if name not in known:
            raise InvalidArgument("fieldsName", f'names "{shortened(name)}", which is no column of this file.')
    found = [headers.get(name, name) for name in names]
    seen: set[str] = set()
    for header in found:
        if header in seen:
            raise InvalidArgument("fieldsName", f'makes the header "{shortened(header)}" stand twice.')
        seen.add(header)
    return found
