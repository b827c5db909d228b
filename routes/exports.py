"""The routes that prepare an export and download it."""

import errno
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, request

from actions import paths
from actions.dispatcher import Dispatcher
from actions.exports import Exports
from actions.filenames import content_disposition, file_name
from routes import calls
from routes.client_socket import ClientSocket
from services import exports
from services.errors import ClientLeft, HttpVersionNotSupported, Overloaded
from services.exports import Download
from services.formats import format_of
from services.measures import ExportRequest, Kind, Target
from services.scheduling.cpu_turn import CpuTurns
from services.stores.port import Store

#: Downloads that one process serves at a time; below gunicorn's worker_connections, so that health answers.
MOST_DOWNLOADS = 1000

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
        asked = prepared.requested(Target(engine, kind, document), export, request.args.getlist("jwt"))
        if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            raise HttpVersionNotSupported(
                "A download over HTTP/1.0 cannot show that it broke off: use HTTP/1.1 (nginx: proxy_http_version 1.1)."
            )
        if request.method == "HEAD":
            exports.check(asked, downloads.store)
            return _file(iter(()), asked)
        return _stream(asked, downloads)

    return routes


def _stream(asked: ExportRequest, downloads: Downloads) -> Response:
    if not downloads.permits.acquire(blocking=False):
        raise Overloaded(f"This process serves {MOST_DOWNLOADS} downloads already. Try again later.")
    try:
        client = ClientSocket(request.environ)
        client.prepare()
        found = exports.download(asked, downloads.store, downloads.turns, has_left=client.has_left)
    except BaseException:
        downloads.permits.release()
        raise
    client.begins()
    response = _file(_blocks(found, client), asked)
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


def _file(blocks: Iterator[bytes], asked: ExportRequest) -> Response:
    response = Response(blocks)
    format = format_of(asked)
    response.headers["Content-Type"] = format.media_type
    response.headers["Content-Disposition"] = content_disposition(file_name(asked.target, format.suffix))
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Accept-Ranges"] = "none"
    return response
