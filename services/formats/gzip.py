"""Gzip around any format: the same file, compressed while it is written."""

from collections.abc import Sequence

from isal import isal_zlib

from services.formats.port import Format
from services.measures import Measure
from services.scheduling.tick import Tick, no_tick

#: isal's own level 1: as quick as copying a few times.
LEVEL = 1

#: Window bits that make zlib write gzip (RFC 1952), without a time or a name: the same bytes each time.
GZIP = 31


class Gzip:
    """Compresses what a format writes (`services.formats.port.Format`); each page can be read once it is there."""

    def __init__(self, format: Format) -> None:
        self._format = format
        self._deflate = isal_zlib.compressobj(LEVEL, wbits=GZIP)

    @property
    def rows_at_once(self) -> int:
        return self._format.rows_at_once

    def begin(self) -> bytes:
        return self._written(self._format.begin())

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        text = self._format.page(measures, rest)
        return self._written(text) if text else b""

    def end(self) -> bytes:
        found: bytes = self._deflate.compress(self._format.end()) + self._deflate.flush()
        return found

    def _written(self, text: bytes) -> bytes:
        found: bytes = self._deflate.compress(text) + self._deflate.flush(isal_zlib.Z_SYNC_FLUSH)
        return found
