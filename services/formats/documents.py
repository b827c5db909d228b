"""Documents: what is stored, one `{"_id": …, "_source": …}` a line, as `flask load` reads it."""

from collections.abc import Sequence
from typing import Any

from services.formats.javascript import json
from services.measures import Measure
from services.scheduling.tick import Tick, no_tick

#: Rows between two ticks.
BATCH = 500


class Documents:
    """Writes one export as stored documents (`services.formats.port.Format`)."""

    rows_at_once = 10_000

    def begin(self) -> bytes:
        return b""

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        blocks: list[Any] = []
        for start in range(0, len(measures), BATCH):
            blocks += [line(measure) for measure in measures[start : start + BATCH]]
            rest()
        return b"".join(blocks) if blocks and isinstance(blocks[0], bytes) else "".join(blocks).encode()

    def end(self) -> bytes:
        return b""


def line(measure: Measure) -> bytes | str:
    """Return a document as one line, of its own kind of text: its source as the store has it, without line breaks
    between its tokens.

    A line break within a text of JSON is escaped: those that are found stand between tokens.
    """
    source = measure.document
    if isinstance(source, str):
        if "\n" in source or "\r" in source:
            source = source.replace("\r", "").replace("\n", "")
        return f'{{"_id":{json(measure.id)},"_source":{source}}}\n'
    source = bytes(source)
    if b"\n" in source or b"\r" in source:
        source = source.replace(b"\r", b"").replace(b"\n", b"")
    return b'{"_id":%b,"_source":%b}\n' % (json(measure.id).encode(), source)
