"""The body of a request, received whole before the application runs, and then read from memory."""

import io
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]

from routes.calls import LARGEST_BODY
from services.errors import BodyUnreadable, RequestTimeout

#: Bytes that are read of a body which is too large, so that its client gets to read that.
MOST_UNWANTED = 16 * 1024 * 1024


class Body(io.BytesIO):
    """Replaces gunicorn's own body, in `wsgi.input`, and in its parser, which discards what is left
    after an answer.
    """

    def __init__(self, own: Any) -> None:
        super().__init__()
        self._own = own
        self._unwanted: int | None = None

    @property
    def failed(self) -> bool:
        """Whether the start of the next request is unknown: then gunicorn closes the connection."""
        return bool(self._own.failed)

    def fetch(self) -> None:
        """Receive all that a body may hold, and a byte more, by which the application sees one that
        is too large.

        Raises `RequestTimeout`, `BodyUnreadable`.
        """
        try:
            super().__init__(self._own.read(LARGEST_BODY + 1))
        except (NoMoreData, ParseException) as error:
            raise BodyUnreadable(f"The body is not sent as HTTP wants it: {reason(error)}.") from error

    def is_answered(self) -> None:
        """Note that the answer is sent: what is read from now on is discarded."""
        self._unwanted = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return bytes of the body.

        Raises `TimeoutError` after the answer, when too much is left: gunicorn closes.
        """
        return super().read(size) if self._unwanted is None else self._discard(self._unwanted)

    def _discard(self, before: int) -> bytes:
        try:
            data = bytes(self._own.read(io.DEFAULT_BUFFER_SIZE))
        except (RequestTimeout, NoMoreData, ParseException) as error:
            raise TimeoutError from error
        self._unwanted = before + len(data)
        if self._unwanted > MOST_UNWANTED:
            raise TimeoutError
        return data


def reason(error: Exception) -> str:
    """Return what is wrong, without quoting what was sent."""
    return REASONS.get(type(error).__name__, "its end is missing")


REASONS = {
    "InvalidChunkSize": "a chunk has no size",
    "ChunkMissingTerminator": "a chunk is longer or shorter than its size",
    "InvalidChunkExtension": "a chunk has a wrong extension",
    "InvalidHeader": "a trailer is wrong",
    "InvalidHeaderName": "a trailer has a wrong name",
    "ObsoleteFolding": "a trailer is folded",
    "LimitRequestHeaders": "its trailers are too long",
}
