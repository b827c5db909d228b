"""The embedded store: what the port promises, over sqlite3."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from services.errors import InvalidArgument
from services.measures import ExportRequest, Fleet, Model, Target
from services.scheduling.cpu_turn import CpuShare, CpuTurns
from services.scheduling.priority_semaphore import PrioritySemaphore
from services.stores.port import Count
from services.stores.sqlite import fields, schema
from services.stores.sqlite.arranging import MOST_SORTS
from services.stores.sqlite.documents import Documents
from services.stores.sqlite.order import Order, is_indexed
from services.stores.sqlite.reading import SqliteReading
from services.stores.sqlite.schema import unavailable
from services.stores.sqlite.selection import select
from services.stores.sqlite.snapshot import Snapshot

#: Rows up to which those that match a filter are counted at prepare: some hundred milliseconds. Beyond: "at most".
COUNTED_ROWS = 100_000


class SqliteStore:
    """Opens a connection for each question, and one for each reading; it holds none.

    `path`: of the database, made if missing. `admin_index`: the index of Kuzzle's that holds
    engines and models.
    """

    def __init__(self, path: str, turns: CpuTurns, *, admin_index: str = "device-manager") -> None:
        schema.ensure(path)
        self._path = path
        self._turns = turns
        self.sorts = PrioritySemaphore(MOST_SORTS)
        self._admin_index = admin_index

    def ready(self) -> None:
        with self._documents() as documents:
            documents.find(self._admin_index, "config", "")

    def model(self, target: Target) -> Model:
        with self._turns.share().turn(), self._documents() as documents:  # of a burst, one after the other
            return documents.model(target)

    def models(self, fleet: Fleet) -> tuple[Model, ...]:
        with self._turns.share().turn(), self._documents() as documents:
            return documents.models_of(fleet)

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        with self._documents() as documents:
            return documents.mappings(types)

    def units(self, types: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        with self._documents() as documents:
            return documents.units(types)

    def check(self, request: ExportRequest) -> Count:
        with contextlib.closing(self.open(request)) as reading:
            if reading.count.rows <= COUNTED_ROWS:
                count = reading.matching()
            else:
                reading.tries()
                count = reading.count
            return replace(count, sample=reading.sample())

    def open(self, request: ExportRequest, cpu: CpuShare | None = None) -> SqliteReading:
        if request.elastic_query is not None:
            raise InvalidArgument("lang", "elasticsearch is understood only on Elasticsearch; use koncorde.")
        cpu = cpu or self._turns.share()
        with cpu.turn(), unavailable():  # it counts: a burst of downloads would hold up the process for seconds
            snapshot = Snapshot(self._path, cpu)
            try:
                with snapshot.watched():
                    return self._reading(snapshot, request)
            except BaseException:
                snapshot.close()
                raise

    def close(self) -> None:
        """Do nothing: no connection is held."""

    def _reading(self, snapshot: Snapshot, request: ExportRequest) -> SqliteReading:
        order = None
        if not is_indexed(request.sort):
            order = Order(request.sort, fields.of_measures(Documents(snapshot.connection, self._admin_index)))
        selection = select(snapshot.connection, request)
        return SqliteReading(snapshot, request, selection=selection, order=order, sorts=self.sorts)

    @contextlib.contextmanager
    def _documents(self) -> Iterator[Documents]:
        with unavailable(), contextlib.closing(schema.reader(self._path)) as connection:
            yield Documents(connection, self._admin_index)
