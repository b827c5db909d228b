"""A request's body as the application reads it: what is wrong with how it was sent is an error of ours."""

from collections.abc import Iterator
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]

from services.errors import BodyUnreadable, RequestTimeout

#: Bytes that are read of a body which the application did not want, so that the connection can be kept.
MOST_UNWANTED = 16 * 1024 * 1024


class Body:
    """Stands for gunicorn's own, in `wsgi.input` and in its parser, which reads what the application left."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._body = request.body
        self._answered = False
        self._unwanted = 0

    @property
    def failed(self) -> bool:
        """Where the next request begins is not known: gunicorn closes the connection."""
        return bool(self._body.failed)

    def is_answered(self) -> None:
        """What is read from now on, nobody wants."""
        self._answered = True

    def read(self, size: int | None = None) -> bytes:
        """Raises `RequestTimeout` and `BodyUnreadable`; after the answer `TimeoutError`, by which gunicorn closes."""
        if self._answered:
            return self._discard(size)
        try:
            return bytes(self._body.read(size))
        except RequestTimeout:
            self._request.force_close()
            raise
        except (NoMoreData, ParseException) as error:
            self._request.force_close()
            raise BodyUnreadable(f"The body is not sent as HTTP wants it: {reason(error)}.") from error

    def readline(self, size: int | None = None) -> bytes:
        """WSGI asks for it; whatever comes is one line."""
        return self.read(size)

    def readlines(self, hint: int | None = None) -> list[bytes]:
        return [self.read()]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readlines())

    def _discard(self, size: int | None) -> bytes:
        if self._unwanted > MOST_UNWANTED:
            raise TimeoutError
        try:
            data = bytes(self._body.read(size))
        except (RequestTimeout, NoMoreData, ParseException) as error:
            raise TimeoutError from error
        self._unwanted += len(data)
        return data


def reason(error: Exception) -> str:
    """Nothing of what was sent is quoted."""
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
