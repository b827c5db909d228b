"""The routes that prepare an export and download it."""

import errno
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, request

from actions import paths
from actions.dispatcher import Dispatcher
from actions.exports import Exports
from routes import calls
from routes.client_socket import ClientSocket
from services import exports
from services.errors import ClientLeft, HttpVersionNotSupported, Overloaded
from services.exports import Download
from services.file_names import content_disposition
from services.formats import Maker, file_type, named
from services.measures import ExportRequest, Kind, Target
from services.scheduling.cpu_turn import CpuTurns
from services.stores.port import Store

#: Downloads that one process serves at a time; below gunicorn's worker_connections, so that health answers.
MOST_DOWNLOADS = 1000

#: The formats that do not open when they are cut, so that any way may carry them; they are compressed inside.
SHOW_A_CUT = frozenset(("xlsx", "zip"))

#: What each parameter of a path is to Flask.
RULES = {
    "engineId": "<part:engine>",
    "kind": "<any(assets, devices):kind>",
    "_id": "<part:document>",
    "exportId": "<part:export>",
}


@dataclass(frozen=True, kw_only=True)
class Downloads:
    """What a download needs; `permits` has one permit for each download at a time."""

    store: Store
    turns: CpuTurns
    maker: Maker
    permits: threading.BoundedSemaphore


def blueprint(dispatcher: Dispatcher, prepared: Exports, downloads: Downloads) -> Blueprint:
    routes = Blueprint("exports", __name__)

    @routes.post(paths.filled(paths.EXPORT, **RULES))
    def prepare(engine: str, kind: Kind, document: str) -> Response:
        arguments = {"engineId": engine, "_id": document}
        return calls.answer(
            dispatcher.answer(calls.call(request, f"device-manager/{kind}", "exportMeasures", **arguments))
        )

    @routes.get(paths.filled(paths.DOWNLOAD, **RULES))
    def download(engine: str, kind: Kind, document: str, export: str) -> Response:
        return answer(prepared.requested(Target(engine, kind, document), export, request.args.getlist("jwt")))

    @routes.post(paths.filled(paths.FLEET_EXPORT, **RULES))
    def prepare_fleet(engine: str) -> Response:
        return calls.answer(
            dispatcher.answer(calls.call(request, "device-manager/measures", "export", engineId=engine))
        )

    @routes.get(paths.filled(paths.FLEET_DOWNLOAD, **RULES))
    def download_fleet(engine: str, export: str) -> Response:
        return answer(prepared.requested_of_fleet(engine, export, request.args.getlist("jwt")))

    def answer(asked: ExportRequest) -> Response:
        if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0" and asked.options.format not in SHOW_A_CUT:
            raise HttpVersionNotSupported(
                "A download over HTTP/1.0 cannot show that it broke off: use HTTP/1.1 (nginx: proxy_http_version 1.1), "
                "or format zip or xlsx, which do not open when they are cut."
            )
        if request.method == "HEAD":
            exports.check(asked, downloads.store)
            return _file(iter(()), asked, is_coded=_takes_gzip(asked))
        return _stream(asked, downloads)

    return routes


def _stream(asked: ExportRequest, downloads: Downloads) -> Response:
    if not downloads.permits.acquire(blocking=False):
        raise Overloaded(f"This process serves {MOST_DOWNLOADS} downloads already. Try again later.")
    try:
        client = ClientSocket(request.environ)
        client.prepare()
        is_coded = _takes_gzip(asked)
        found = exports.download(
            asked, downloads.store, downloads.turns, downloads.maker, gzip=is_coded, has_left=client.has_left
        )
    except BaseException:
        downloads.permits.release()
        raise
    client.begins()
    response = _file(_blocks(found, client), asked, is_coded=is_coded)
    response.call_on_close(found.close)
    response.call_on_close(downloads.permits.release)
    return response


def _blocks(found: Download, client: ClientSocket) -> Iterator[bytes]:
    """Yield the blocks that hold rows; an empty block means that a page was read and no row
    matched.
    """
    try:
        for block in found:
            if block:
                yield block
            else:
                client.check()
    except ClientLeft as error:  # the server has its own word for it
        raise ConnectionResetError(errno.ECONNRESET, error.message) from error
    except Exception:
        client.reset_on_close()
        raise


def _takes_gzip(asked: ExportRequest) -> bool:
    """Return whether the file goes compressed: it is not yet, and its client names gzip (RFC 9110, 12.5.3)."""
    names = [name.lower() for name, quality in request.accept_encodings if quality]
    return _is_plain(asked) and "gzip" in names


def _is_plain(asked: ExportRequest) -> bool:
    return asked.options.format not in SHOW_A_CUT and asked.options.compress == "none"


def _file(blocks: Iterator[bytes], asked: ExportRequest, *, is_coded: bool) -> Response:
    response = Response(blocks)
    response.headers["Content-Type"] = file_type(asked.options).media_type
    response.headers["Content-Disposition"] = content_disposition(named(asked))
    if _is_plain(asked):
        response.headers["Vary"] = "Accept-Encoding"
    if is_coded:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Accept-Ranges"] = "none"
    return response
