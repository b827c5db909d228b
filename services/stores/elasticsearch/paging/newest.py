"""The newest rows of the targets of a fleet, or of their slots: found by Elasticsearch, a few targets at a time."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from services.errors import StoreUnavailable
from services.measures import Measure
from services.scheduling.cpu_turn import CpuShare
from services.stores.elasticsearch.paging.counts import Counts
from services.stores.elasticsearch.paging.pace import PAGE_BYTES
from services.stores.elasticsearch.query.scope import JSON
from services.stores.elasticsearch.transport import responses, shapes
from services.stores.elasticsearch.transport.responses import NewestBucket, Read

#: Rows of a page, at most.
MOST_ROWS = 4000

#: Instant and number of insertion of a row.
Place = list[int]


@dataclass(frozen=True, kw_only=True)
class Newest:
    """Reads the newest rows. `whole`: counts all; `part`: those of a few ids. `fields`: what rows are gathered by, `id`
    first. `each`: about how many rows a target has. `rows`: how many measures there are. `begun` is set with the first
    page.
    """

    whole: Counts
    part: Callable[[Sequence[str]], Counts]
    fields: Mapping[str, str]
    sort: JSON
    each: int
    row_bytes: float
    rows: int
    read: Read
    cpu: CpuShare
    begun: threading.Event

    def close(self) -> None:
        """Do nothing: nothing is asked for ahead."""

    def __iter__(self) -> Iterator[Sequence[Measure]]:
        """Yield rows target by target in order of id, of one in order of time, ties in order of insertion.

        Raises `StoreUnavailable` where Elasticsearch has not looked at every measure.
        """
        most = max(1, min(MOST_ROWS, int(PAGE_BYTES / self.row_bytes)))
        looked_at = 0
        for ids in self._ids(max(1, most // self.each)):
            found: list[NewestBucket] = []
            for buckets in self.part(ids).newest(self.fields, self.sort, most):
                found += buckets
            looked_at += sum(bucket.doc_count for bucket in found)
            measures = self._measures(found)
            self.begun.set()
            yield measures
        if looked_at != self.rows:
            raise StoreUnavailable(f"Elasticsearch looked at {looked_at} of {self.rows} measures.")

    def _ids(self, most: int) -> Iterator[list[str]]:
        together: list[str] = []
        for target in self.whole.targets(self.fields["id"]):
            together.append(target.id)
            if len(together) == most:
                yield together
                together = []
        if together:
            yield together

    def _measures(self, buckets: Sequence[NewestBucket]) -> Sequence[Measure]:
        with self.cpu.turn():
            placed = sorted(
                ((bucket.key.id, place(hit), hit) for bucket in buckets for hit in bucket.newest.hits.hits),
                key=lambda each: each[:2],
            )
            hits = [hit for *_, hit in placed]
            return [
                measure
                for piece in responses.looking(responses.pieces(hits), self.cpu.rest)
                for measure in shapes.well_shaped(partial(self.read, piece))
            ]


def place(hit: msgspec.Raw) -> Place:
    """Return the instant of a row and the number of its insertion."""
    found: Place = msgspec.json.decode(responses.LAST.decode(hit).sort, type=list[int])
    return found
