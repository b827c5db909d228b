"""What a format of files promises: how measures become the bytes of a file, step by step."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from services.measures import Measure
from services.scheduling.tick import Tick


class Format(Protocol):
    """Writes one file, in one thread at a time: `begin`, any number of pages, `end`.

    `media_type`: for `Content-Type`. `suffix`: what the file's name ends in, with its dot.
    """

    media_type: ClassVar[str]
    suffix: ClassVar[str]

    @property
    def rows_at_once(self) -> int:
        """The rows that one call may be given without holding up others, or filling the memory."""

    def begin(self) -> bytes:
        """Return what stands before all rows."""

    def page(self, measures: Sequence[Measure], rest: Tick) -> bytes:
        """Return the rows of these measures, in order. `rest` is called now and then, to let others in."""

    def end(self) -> bytes:
        """Return what stands after all rows; a file without it is cut."""
