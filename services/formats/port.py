"""What a format of files promises: how measures become the bytes of a file, step by step."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from services.measures import Measure
from services.scheduling.tick import Tick


class FileType(NamedTuple):
    """Tells of a file what HTTP says of it: `media_type`, and what its name ends in, with its dot."""

    media_type: str
    suffix: str


@runtime_checkable
class Archived(Protocol):
    """A format that is an archive; `unpacked_bytes`: of all that was written into it, before it was packed."""

    @property
    def unpacked_bytes(self) -> int: ...


class Format(Protocol):
    """Writes one file, in one thread at a time: `begin`, any number of pages, `end`."""

    @property
    def rows_at_once(self) -> int:
        """The rows that one call may be given without holding up others, or filling the memory."""

    def begin(self) -> bytes:
        """Return what stands before all rows."""

    def page(self, measures: Sequence[Measure], rest: Tick) -> bytes:
        """Return the rows of these measures, in order. `rest` is called now and then, to let others in.

        Raises `InvalidArgument` with `format` for what the format cannot hold.
        """

    def end(self) -> bytes:
        """Return what stands after all rows; a file without it is cut."""
