"""Ask a Kuzzle for the rights of a token (`POST /_checkRights`), and keep its answers for a while."""

import hashlib
import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import urllib3
from cachetools import TLRUCache
from urllib3.exceptions import HTTPError, ProtocolError

from services.access.deadlines import Asking, connections
from services.errors import AccessUnavailable, TokenInvalid

log = logging.getLogger(__name__)

#: How long an answer is kept, and how many are.
KEPT_SECONDS = 30
KEPT_ANSWERS = 10_000

#: Seconds until a connection, and until the next byte of an answer.
TIMEOUT = urllib3.Timeout(connect=2, read=4)

#: Seconds that a whole question takes at most, whatever comes byte by byte: who asks for a link waits.
LONGEST_SECONDS = 5.0

#: Connections kept open; more are opened when needed.
KEPT_CONNECTIONS = 64

#: Bytes. The answer to `auth:checkRights` has about 300.
LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True)
class Question:
    """The request that `auth:checkRights` is asked to judge."""

    controller: str
    action: str
    engine: str | None = None
    id: str | None = None

    def body(self) -> dict[str, str]:
        names = {"controller": self.controller, "action": self.action, "engineId": self.engine, "_id": self.id}
        return {name: value for name, value in names.items() if value is not None}


class Rights(msgspec.Struct):
    allowed: bool


class RightsAnswer(msgspec.Struct):
    result: Rights
    error: Any = None


class Kuzzle:
    """Asks the Kuzzle whose HTTP routes begin at `url`.

    `clock` returns epoch seconds; `longest_seconds` bounds a whole question.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        *,
        timeout: urllib3.Timeout = TIMEOUT,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._url = f"{url.rstrip('/')}/_checkRights"
        self._connections = connections(maxsize=KEPT_CONNECTIONS, timeout=timeout, retries=False)
        self._longest_seconds = longest_seconds
        self._answers = Answers(clock)

    def allows(self, token: str | None, question: Question, *, until_ms: int | None = None) -> bool:
        """Return whether Kuzzle allows the request; the answer is kept until the token ends
        (`until_ms`) at most.

        Raises `TokenInvalid` when Kuzzle does not know the token, `AccessUnavailable` when it gives no clear answer.
        """
        asked = (hashlib.sha256((token or "").encode()).digest(), question)
        answer = self._answers.get(asked)
        if answer is None:
            answer = self._ask(token, question)
            self._answers.keep(asked, answer, until_ms=until_ms)
        if answer == "token":
            raise TokenInvalid("Invalid token.")
        return answer == "yes"

    def _ask(self, token: str | None, question: Question) -> str:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            body = msgspec.json.encode(question.body())
            status, text = Asking(lambda asking: self._post(body, headers, asking)).within(self._longest_seconds)
            return meaning(status, text, token)
        except (HTTPError, msgspec.MsgspecError, ValueError, OSError, RecursionError) as error:
            log.error("%s: no answer to use: %s", self._url, error)
            raise AccessUnavailable("The Kuzzle that knows who may export does not answer. Try again later.") from error

    def _post(self, body: bytes, headers: dict[str, str], asking: Asking) -> tuple[int, bytes]:
        """Ask, and once more when the connection breaks: one kept open may have been closed by the
        other side.
        """
        try:
            return self._post_once(body, headers)
        except ProtocolError:
            if asking.ended:
                raise
            return self._post_once(body, headers)

    def _post_once(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        response = self._connections.request(
            "POST", self._url, body=body, headers=headers, redirect=False, preload_content=False, decode_content=False
        )
        text = response.read(LONGEST_ANSWER + 1)
        if len(text) > LONGEST_ANSWER:
            response.close()
            raise ValueError(f"more than {LONGEST_ANSWER} bytes")
        response.release_conn()
        return response.status, text


def meaning(status: int, text: bytes, token: str | None) -> str:
    """Return `yes`, `no`, or `token` when that one is not good.

    Raises `ValueError`, `MsgspecError` for anything else.
    """
    if status == 401:
        return "token" if token else "no"
    if status == 403:  # whoever it is may not even ask
        return "no"
    if status != 200:
        raise ValueError(f"status {status}")
    envelope = msgspec.json.decode(text, type=RightsAnswer)
    if envelope.error is not None:
        raise ValueError("a result and an error")
    return "yes" if envelope.result.allowed else "no"


class Answers:
    """Keeps Kuzzle's last answers: `KEPT_ANSWERS` at most, and each for `KEPT_SECONDS` at most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._kept: TLRUCache[Any, tuple[str, float]] = TLRUCache(
            KEPT_ANSWERS, ttu=lambda _, kept, now: min(now + KEPT_SECONDS, kept[1]), timer=clock
        )
        self._lock = threading.Lock()

    def get(self, asked: Any) -> str | None:
        """Return the answer that is kept, `None` when there is none or its time is over."""
        with self._lock:
            kept = self._kept.get(asked)
        return None if kept is None else kept[0]

    def keep(self, asked: Any, answer: str, *, until_ms: int | None) -> None:
        """Keep an answer; when there are too many, the one that was asked for least recently is forgotten."""
        with self._lock:
            self._kept[asked] = answer, math.inf if until_ms is None else until_ms / 1000
