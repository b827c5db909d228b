"""The corpus of Koncorde: one file a keyword below `cases/`, that every meaning of a filter runs.

A file has named sets of `documents` (`{set: {_id: _source}}`) and `groups` of cases; a group tells what it shows
(`shows`), names its set (`on`, by default the first) and lists its `cases`:
`[filter, [ids that match, in the order of the set]]` or `[filter, "path of the mistake"]`.

Documents have values of any type, one set mixing them: an index of Elasticsearch takes them with `"dynamic": false`,
or with those fields mapped that are of one type; but for the sets of `NO_INDEX`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = Mapping[str, Any]

#: Elasticsearch takes no empty names.
NO_INDEX = frozenset({"equals/empty names"})

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """`collection` names the set of `documents`, the same for all cases on it; `ids` or `error`, the other `None`."""

    id: str
    collection: str
    documents: Mapping[str, JSON]
    query: Any
    ids: tuple[str, ...] | None
    error: str | None

    @property
    def keyword(self) -> str:
        return self.collection.partition("/")[0]


def load(folder: Path = FOLDER) -> Iterator[Case]:
    for path in sorted(folder.glob("*.json")):
        yield from cases(path.stem, json.loads(path.read_text(encoding="utf-8")))


def cases(keyword: str, content: JSON) -> Iterator[Case]:
    sets = content["documents"]
    for group in content["groups"]:
        name = group.get("on", next(iter(sets)))
        for number, (query, expected) in enumerate(group["cases"], 1):
            id = f"{keyword}: {group['shows']} [{number}]"
            error = expected if isinstance(expected, str) else None
            ids = None if isinstance(expected, str) else tuple(expected)
            yield Case(id, f"{keyword}/{name}", sets[name], query, ids, error)


CASES = tuple(load())
ACCEPTED = tuple(case for case in CASES if case.ids is not None)
REFUSED = tuple(case for case in CASES if case.error is not None)

#: By `Case.collection`.
COLLECTIONS: Mapping[str, Mapping[str, JSON]] = {case.collection: case.documents for case in CASES}
