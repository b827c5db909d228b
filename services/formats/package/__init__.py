"""A package that proves itself: a ZIP of CSVs, of what describes them, of their checksums, and of a signature."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from services.formats.archive import Archive, told_as_format
from services.formats.csv import Csv
from services.formats.layout import Layout
from services.formats.package.description import File, Units, description, fields, resource
from services.formats.package.fields import Seen
from services.measures import ExportRequest, Measure
from services.options import Options
from services.scheduling.tick import Tick, no_tick
from services.signing import SigningKey

#: The members beside the CSVs.
DESCRIPTION, CHECKSUMS, SIGNATURE = "datapackage.json", "SHA256SUMS", "datapackage.json.sig"


class Bundle:
    """Writes the archive of a package: any number of CSVs, one after the other, then what proves them.

    `key`: signs; `None`: nobody does. `snapshot_ms`: when the store was looked at.
    """

    def __init__(self, request: ExportRequest, *, key: SigningKey | None, snapshot_ms: int) -> None:
        self._request = request
        self._key = key
        self._snapshot_ms = snapshot_ms
        self._archive = Archive()
        self._resources: list[dict[str, object]] = []
        self._sums: list[tuple[str, str]] = []
        self._names: Counter[str] = Counter()
        self._hash = hashlib.sha256()
        self._name = ""
        self._size = 0

    @property
    def unpacked_bytes(self) -> int:
        return self._archive.unpacked_bytes

    def begin(self, name: str) -> bytes:
        """Begin a CSV."""
        self._name, self._size, self._hash = name, 0, hashlib.sha256()
        with told_as_format():
            return self._archive.begin(name)

    def write(self, text: bytes) -> bytes:
        """Add to the CSV. Raises `InvalidArgument` where the file becomes too large for a ZIP."""
        self._hash.update(text)
        self._size += len(text)
        with told_as_format():
            return self._archive.write(text) + self._archive.flush()

    def end_member(self, rows: int, fields: list[dict[str, object]]) -> bytes:
        """End the CSV, which has so many rows of data, and these columns."""
        file = File(self._name, self._size, rows, self._hash.hexdigest())
        told = resource(self._request.options, file, fields)
        told["name"] = self._unique(str(told["name"]))
        self._resources.append(told)
        self._sums.append((self._name, file.sha256))
        with told_as_format():
            return self._archive.end_member()

    def end(self) -> bytes:
        """Return what proves the CSVs, and the end of the archive."""
        fingerprint = None if self._key is None else self._key.public.fingerprint
        told = description(self._request, self._resources, snapshot_ms=self._snapshot_ms, fingerprint=fingerprint)
        described = json.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n"
        sums = [*self._sums, (DESCRIPTION, hashlib.sha256(described).hexdigest())]
        with told_as_format():
            found = [
                self._member(DESCRIPTION, described),
                self._member(CHECKSUMS, "".join(f"{sum}  {name}\n" for name, sum in sums).encode()),
            ]
            if self._key is not None:
                found.append(self._member(SIGNATURE, self._key.sign(described)))
            return b"".join(found) + self._archive.end()

    def _unique(self, name: str) -> str:
        """Return a name of a resource that no other has."""
        self._names[name] += 1
        return name if self._names[name] == 1 else self._unique(f"{name}-{self._names[name]}")

    def _member(self, name: str, data: bytes) -> bytes:
        return self._archive.begin(name) + self._archive.write(data) + self._archive.end_member()


class Package:
    """Writes one export as a package (`services.formats.port.Format`), or as one CSV of a bundle.

    `name`: of the CSV. `units`: of values, by types of measures. `bundle` is ended with the CSV where `is_only`.
    """

    def __init__(
        self,
        csv: Csv,
        layout: Layout,
        bundle: Bundle,
        options: Options,
        *,
        name: str,
        units: Units,
        is_only: bool = True,
    ) -> None:
        self._csv = csv
        self._layout = layout
        self._bundle = bundle
        self._options = options
        self._name = name
        self._units = units
        self._is_only = is_only
        self._seen = Seen(layout)
        self._row_count = 0

    @property
    def rows_at_once(self) -> int:
        return self._csv.rows_at_once

    @property
    def unpacked_bytes(self) -> int:
        return self._bundle.unpacked_bytes

    def begin(self) -> bytes:
        return self._bundle.begin(self._name) + self._bundle.write(self._csv.begin())

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        """Return the rows of these measures. Raises `InvalidArgument` where the file becomes too large for a ZIP."""
        if not measures:
            return b""
        self._row_count += len(measures)
        written = self._bundle.write(self._csv.page(measures, rest))
        self._seen.look(measures)
        return written

    def end(self) -> bytes:
        columns = fields(self._csv, self._layout, self._seen, self._options, self._units)
        last = self._bundle.end_member(self._row_count, columns)
        return last + self._bundle.end() if self._is_only else last
