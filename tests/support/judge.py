"""The far end of `POST /_checkRights`: a Kuzzle reduced to who its users are and what they may, over real HTTP.

Answers as Kuzzle 2.56 does (authController.ts, tokenRepository.ts), or misbehaves as told.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Rights are pairs of a token (`None`: nobody's) and the controller and engine that it may use.
Right = tuple[str | None, str, str | None]


@dataclass
class Judge:
    """`asked`: every request, as token and body.

    `answer`: status and bytes in place of a judgement; `silent`: none at all; `hang_ups`: so many close instead;
    `drip_seconds`: between two bytes of an answer, its head included.
    """

    url: str = ""
    tokens: set[str] = field(default_factory=set)
    rights: set[Right] = field(default_factory=set)
    asked: list[tuple[str | None, dict[str, Any]]] = field(default_factory=list)
    answer: tuple[int, bytes] | None = None
    silent: bool = False
    hang_ups: int = 0
    drip_seconds: float = 0
    thawed: threading.Event = field(default_factory=threading.Event)

    def judge(self, token: str | None, body: dict[str, Any]) -> tuple[int, bytes]:
        self.asked.append((token, body))
        if self.answer is not None:
            return self.answer
        if token is not None and token not in self.tokens:
            return 401, envelope(
                401, None, {"id": "security.token.invalid", "message": "Invalid token.", "status": 401}
            )
        allowed = (token, body["controller"], body.get("engineId")) in self.rights
        return 200, envelope(200, {"allowed": allowed}, None)


def envelope(status: int, result: Any, error: Any) -> bytes:
    return json.dumps({"status": status, "error": error, "result": result, "requestId": "r"}).encode()


@contextlib.contextmanager
def judge() -> Iterator[Judge]:
    """A running one."""
    found = Judge()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if found.silent or found.hang_ups:
                found.hang_ups -= 1
                self.close_connection = not found.silent or found.thawed.wait()
                return
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            known = self.path == "/_checkRights" and scheme in ("", "Bearer")
            self._answer(*found.judge(token or None, body) if known else (404, b"{}"))

        def _answer(self, status: int, text: bytes) -> None:
            if found.drip_seconds:
                self._drip(text)
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _drip(self, text: bytes) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text:
                    self.wfile.write(bytes([byte]))
                    if found.thawed.wait(found.drip_seconds):
                        return

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    running.start()
    try:
        yield found
    finally:
        found.thawed.set()
        server.shutdown()
        running.join()
        server.server_close()
