"""A session with one client by messages, as over Kuzzle's WebSocket: text in, text out, no socket."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from actions import envelope
from actions.calls import Call, own_token
from actions.dispatcher import Dispatcher
from schemas import bodies
from services.errors import InvalidType, ServiceError

#: What browsers and Node send every two seconds, and want before the next.
_PING = re.compile(rb'\s{0,9}\{\s{0,9}"p"\s{0,9}:\s{0,9}1\s{0,9}\}\s{0,9}')
PONG = '{"p":2}'

#: What Kuzzle pushes when a token ends on an open connection.
TOKEN_EXPIRED = json.dumps(
    {
        "type": "TokenExpired",
        "room": "kuzzle:notification:server",
        "status": 200,
        "message": "Authentication Token Expired",
    }
)


def is_ping(message: bytes) -> bool:
    return _PING.fullmatch(message) is not None


class Session:
    """Answers the messages of one client, and watches when its token ends.

    `base_url`: where links begin. `expires_at` returns when a token ends, in epoch milliseconds.
    `clock` returns epoch seconds.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        base_url: str,
        expires_at: Callable[[str], int | None],
        clock: Callable[[], float],
    ) -> None:
        self._dispatcher = dispatcher
        self._base_url = base_url
        self._expires_at = expires_at
        self._clock = clock
        self.token: str | None = None
        self._expires_ms: int | None = None

    def answer(self, message: bytes) -> str | None:
        """Return the answer to a message, `None` where there is nothing to say. Never raises."""
        if is_ping(message):
            return PONG
        if not message:
            return None
        try:
            call = self._read(message)
        except ServiceError as error:
            return refusal(error)
        answered = self._dispatcher.answer(call)
        self._watch(call)
        return json.dumps({**answered, "room": call.request_id})

    def seconds_left(self) -> float | None:
        """Return the seconds until the client's token ends; `None`: it does not, or there is none."""
        return None if self._expires_ms is None else max(0.0, self._expires_ms / 1000 - self._clock())

    def news(self) -> str | None:
        """Return, once, the message that the client's token has ended; else `None`."""
        if self.seconds_left() != 0:
            return None
        self._expires_ms = None
        return TOKEN_EXPIRED

    def _read(self, message: bytes) -> Call:
        """Return the call of a message. Raises `BodyUnreadable`, `InvalidArgument`."""
        found = bodies.parsed(message)
        if not isinstance(found, Mapping):
            raise InvalidType("message", "must be a JSON object that holds the whole request.")
        return Call.from_message(found, base_url=self._base_url)

    def _watch(self, call: Call) -> None:
        """Note the end of the token last used; one that had ended before was refused already."""
        token = call.token or (self.token is None and token_to_check(call)) or None
        if isinstance(token, str) and token != self.token:
            ends = self._expires_at(token)
            self.token = token
            self._expires_ms = ends if ends is not None and ends > self._clock() * 1000 else None


def token_to_check(call: Call) -> Any:
    """Return the token in `auth:checkToken`, by which the SDK opens every session: the only place
    of its token until it asks.
    """
    if (call.controller, call.action) != ("auth", "checkToken") or not isinstance(call.body, Mapping):
        return None
    return own_token(call.body.get("token"))


def refusal(error: ServiceError) -> str:
    """Return the answer to a message that cannot be read: an envelope without `room`."""
    return json.dumps(envelope.of_error(Call(controller=None, action=None), error))
