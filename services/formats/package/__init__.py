"""A package that proves itself: a ZIP of a CSV, of what describes it, of its checksums, and of a signature."""

import hashlib
import json
from collections.abc import Sequence

from services.formats.archive import Archive, told_as_format
from services.formats.csv import Csv
from services.formats.layout import Layout
from services.formats.package.description import File, Units, description, fields
from services.formats.package.fields import Seen
from services.measures import ExportRequest, Measure
from services.scheduling.tick import Tick, no_tick
from services.signing import SigningKey

#: The members beside the CSV.
DESCRIPTION, CHECKSUMS, SIGNATURE = "datapackage.json", "SHA256SUMS", "datapackage.json.sig"


class Package:
    """Writes one export as a package (`services.formats.port.Format`).

    `name`: of the CSV. `units`: of values, by types of measures. `key`: signs; `None`: nobody does.
    `snapshot_ms`: when the store was looked at.
    """

    def __init__(
        self,
        csv: Csv,
        layout: Layout,
        request: ExportRequest,
        *,
        name: str,
        units: Units,
        key: SigningKey | None,
        snapshot_ms: int,
    ) -> None:
        self._csv = csv
        self._layout = layout
        self._request = request
        self._name = name
        self._units = units
        self._key = key
        self._snapshot_ms = snapshot_ms
        self._archive = Archive()
        self._seen = Seen(layout)
        self._hash = hashlib.sha256()
        self._size = self._row_count = 0

    @property
    def rows_at_once(self) -> int:
        return self._csv.rows_at_once

    @property
    def unpacked_bytes(self) -> int:
        return self._archive.unpacked_bytes

    def begin(self) -> bytes:
        return self._archive.begin(self._name) + self._written(self._csv.begin())

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        """Return the rows of these measures. Raises `InvalidArgument` where the file becomes too large for a ZIP."""
        if not measures:
            return b""
        self._row_count += len(measures)
        written = self._written(self._csv.page(measures, rest))
        self._seen.look(measures)
        return written

    def end(self) -> bytes:
        with told_as_format():
            last = self._archive.write(self._csv.end()) + self._archive.end_member()
            described = json.dumps(self._description(), ensure_ascii=False, indent=2).encode() + b"\n"
            sums = "".join(
                f"{sum}  {name}\n"
                for name, sum in (
                    (self._name, self._hash.hexdigest()),
                    (DESCRIPTION, hashlib.sha256(described).hexdigest()),
                )
            )
            found = [last, self._member(DESCRIPTION, described), self._member(CHECKSUMS, sums.encode())]
            if self._key is not None:
                found.append(self._member(SIGNATURE, self._key.sign(described)))
            return b"".join(found) + self._archive.end()

    def _written(self, text: bytes) -> bytes:
        self._hash.update(text)
        self._size += len(text)
        with told_as_format():
            return self._archive.write(text) + self._archive.flush()

    def _member(self, name: str, data: bytes) -> bytes:
        return self._archive.begin(name) + self._archive.write(data) + self._archive.end_member()

    def _description(self) -> dict[str, object]:
        return description(
            self._request,
            File(self._name, self._size, self._row_count, self._hash.hexdigest()),
            fields(self._csv, self._layout, self._seen, self._request.options, self._units),
            snapshot_ms=self._snapshot_ms,
            fingerprint=None if self._key is None else self._key.public.fingerprint,
        )
