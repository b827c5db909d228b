"""The deciding of a filter on rows: by SQL, or row by row in Python.

SQL reads and parses the text of a document for each clause again. That is quick for a few clauses
on a document of usual size; from there on, a document is decoded once.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from services import lenient_json
from services.filters.koncorde import nodes
from services.filters.koncorde.weight import weight
from services.filters.python.evaluator import compile
from services.filters.python.trial import Trial
from services.filters.sqlite import Clause, translate
from services.scheduling.tick import Tick

#: Clauses up to which SQL is quicker.
FEW_CLAUSES = 12

#: Whether a row matches, `_id`, `_source`, and what else was asked for.
Row = tuple[Any, ...]

#: Whatever the rows are.
ALL = Clause("1")


class Decides(Protocol):
    """Decides a filter. `clause`: the first column of each row. `asks`: whether `id` and `doc` must follow."""

    clause: Clause
    asks: bool

    def kept(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that match."""


class BySql:
    def __init__(self, clause: Clause) -> None:
        self.clause = clause
        self.asks = False

    def kept(self, rows: Sequence[Row]) -> Sequence[Row]:
        return [row for row in rows if row[0]]


class Everything(BySql):
    """Keeps every row: there is no filter."""

    def __init__(self) -> None:
        super().__init__(ALL)

    def kept(self, rows: Sequence[Row]) -> Sequence[Row]:
        return rows


class ByRow:
    """Decides row by row. `look` is called before each row, and within one that takes long."""

    def __init__(self, filter: nodes.Filter, trial: Trial, look: Tick) -> None:
        self.clause = ALL
        self.asks = True
        self._holds = compile(filter, look)
        self._trial = trial
        self._look = look

    def kept(self, rows: Sequence[Row]) -> Sequence[Row]:
        return [row for row in self._looking(rows) if self._trial.decides(self._holds, document(row[1], row[2]))]

    def _looking(self, rows: Sequence[Row]) -> Iterable[Row]:
        for row in rows:
            self._look()
            yield row


def decides(filter: nodes.Filter, trial: Trial, look: Tick) -> Decides:
    if isinstance(filter, nodes.All):
        return Everything()
    if weight(filter) > FEW_CLAUSES:
        return ByRow(filter, trial, look)
    return BySql(translate(filter))


def document(id: str, doc: str) -> dict[str, Any]:
    """Return a document as filters ask it, with its `_id`."""
    try:
        return {**json.loads(doc), "_id": id}
    except ValueError:  # an integer of more digits than Python reads
        return {**lenient_json.loads(doc.encode()), "_id": id}
