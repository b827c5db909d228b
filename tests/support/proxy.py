"""A network peer that fails: a real HTTP proxy before a real Elasticsearch, which spoils some of its answers."""

import contextlib
import http.client
import json
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

#: Headers that the service looks at.
PASSED = ("content-type", "x-elastic-product")


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    body: bytes

    @property
    def is_page(self) -> bool:
        """A search that asks for rows."""
        return "/_search" in self.path and bool(self.json.get("size")) and "pit" in self.json

    @property
    def opens_view(self) -> bool:
        return self.method == "POST" and "/_pit?" in self.path

    @property
    def closes_view(self) -> bool:
        return self.method == "DELETE" and self.path == "/_pit"

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True)
class Answer:
    """`sent`: bytes of the body that leave before the connection is reset; `None`: all. -1: not even a status.

    `hangs`: nothing leaves until the client does. `raw`: what leaves instead of all this, status line and all, at once
    or a byte each `pause_seconds`; then the connection is closed.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    sent: int | None = None
    hangs: bool = False
    raw: bytes | None = None
    pause_seconds: float = 0

    def changed(self, change: Callable[[Any], object]) -> "Answer":
        """With another JSON body."""
        content = json.loads(self.body)
        change(content)
        return replace(self, body=json.dumps(content).encode())


Fault = Callable[[Answer], Answer]


def failed_shard(answer: Answer) -> Answer:
    """What a search without `allow_partial_search_results=false` would tell."""
    return answer.changed(lambda page: page["_shards"].update(successful=page["_shards"]["total"] - 1, failed=1))


def timed_out(answer: Answer) -> Answer:
    return answer.changed(lambda page: page.update(timed_out=True))


def row_short(answer: Answer) -> Answer:
    return answer.changed(lambda page: page["hits"]["hits"].pop())


def row_twice(answer: Answer) -> Answer:
    return answer.changed(lambda page: page["hits"]["hits"].append(page["hits"]["hits"][-1]))


def no_json(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[:-1])


def cut(answer: Answer) -> Answer:
    """In the middle of the body."""
    return replace(answer, sent=len(answer.body) // 2)


def reset(answer: Answer) -> Answer:
    """Before a byte."""
    return replace(answer, sent=-1)


def silence(answer: Answer) -> Answer:
    return replace(answer, hangs=True)


def refused(status: int) -> Fault:
    """As Elasticsearch words it."""
    error = {"type": "es_rejected_execution_exception", "reason": "rejected execution of a search"}
    body = json.dumps({"error": {"root_cause": [error], **error}, "status": status}).encode()
    return lambda answer: replace(answer, status=status, body=body)


def gateway(status: int) -> Fault:
    """As a load balancer words it."""
    page = b"<html><body><h1>no upstream</h1></body></html>"
    return lambda answer: Answer(status, {"content-type": "text/html"}, page)


@dataclass
class Plan:
    """Which answers are spoiled: `times` (`None`: all) of those `of` a kind, after so many sound ones."""

    fault: Fault
    of: Callable[[Asked], bool]
    after: int
    times: int | None
    spoiled: int = 0

    def applied(self, asked: Asked, answer: Answer) -> Answer:
        if not self.of(asked) or self.times == 0:
            return answer
        if self.after:
            self.after -= 1
            return answer
        self.times = None if self.times is None else self.times - 1
        self.spoiled += 1
        return self.fault(answer)


class Proxy:
    """`url`: in place of `behind`, the URL of Elasticsearch. `asked`: all requests so far.

    `views`: ids of points in time that were given and are open.
    """

    def __init__(self, url: str, behind: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self.views: set[str] = set()
        self.ended = threading.Event()
        self.behind = behind
        self._plan: Plan | None = None
        self._one = threading.Lock()

    @contextlib.contextmanager
    def spoiling(
        self, fault: Fault, *, of: Callable[[Asked], bool] = lambda asked: asked.is_page, after: int = 0,
        times: int | None = None,
    ) -> Iterator[Plan]:  # fmt: skip
        """Pages unless told, until left."""
        self._plan = Plan(fault, of, after, times)
        try:
            yield self._plan
        finally:
            self._plan = None

    def connect(self) -> http.client.HTTPConnection:
        """To Elasticsearch."""
        behind = urlsplit(self.behind)
        return http.client.HTTPConnection(behind.hostname or "", behind.port, timeout=60)

    def answer(self, asked: Asked, answer: Answer) -> Answer:
        with self._one:
            self.asked.append(asked)
            given = answer if self._plan is None else self._plan.applied(asked, answer)
            if asked.opens_view and given is answer and answer.status == 200:
                self.views.add(json.loads(answer.body)["id"])
            elif asked.closes_view and answer.status in (200, 404):
                self.views.discard(asked.json["id"])
            return given


@contextlib.contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """Before the Elasticsearch at `url`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.proxy = running = Proxy(f"http://127.0.0.1:{server.server_port}", url)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield running
    finally:
        running.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def proxy(self) -> Proxy:
        found: Proxy = self.server.proxy  # type: ignore[attr-defined]
        return found

    def setup(self) -> None:
        super().setup()
        self.upstream = self.proxy.connect()

    def finish(self) -> None:
        self.upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def pass_on(self) -> None:
        asked = Asked(self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
        try:
            answer = self.proxy.answer(asked, self.asked_behind(asked))
            self.give(answer)
        except OSError:  # either side is gone
            self.reset()

    do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = pass_on  # noqa: N815

    def asked_behind(self, asked: Asked) -> Answer:
        self.upstream.request(
            asked.method, asked.path, asked.body, {name: self.headers[name] for name in ("Accept", "Content-Type")}
        )
        found = self.upstream.getresponse()
        headers = {name: value for name in PASSED if (value := found.headers[name]) is not None}
        return Answer(found.status, headers, found.read())

    def give(self, answer: Answer) -> None:
        if answer.hangs:
            self.wait_until_left()
        if answer.hangs or answer.sent == -1:
            self.reset()
            return
        if answer.raw is not None:
            self.give_raw(answer.raw, answer.pause_seconds)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: answer.sent])
        if answer.sent is not None:
            self.reset()

    def give_raw(self, raw: bytes, pause_seconds: float) -> None:
        self.close_connection = True
        for part in [raw[at : at + 1] for at in range(len(raw))] if pause_seconds else [raw]:
            self.wfile.write(part)
            if self.proxy.ended.wait(pause_seconds):
                return

    def wait_until_left(self) -> None:
        while not self.proxy.ended.is_set():
            if select.select([self.connection], [], [], 0.05)[0]:
                return

    def reset(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""
