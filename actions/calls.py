"""A call of an action, from an HTTP route, `POST /_query` or a WebSocket message."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from schemas import bodies
from schemas.fields import text
from services.access.access import LONGEST_TOKEN
from services.errors import BadRequest, InvalidArgument

#: Names of a message that are no arguments of an action.
ENVELOPE_NAMES = ("controller", "action", "body", "jwt", "volatile", "requestId")

#: Characters of a request's id: it is echoed twice.
LONGEST_REQUEST_ID = 1000

#: Bytes of `volatile`, as JSON: it is echoed.
LARGEST_VOLATILE = 64 * 1024


def new_request_id() -> str:
    return str(uuid.uuid4())


def nothing() -> None:
    """The body of a call without one."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """`arguments` stand at the root; `token` is the caller's own; `base_url` is where links begin.

    `read_body`: makes JSON of the body, when who may ask is known. Raises `BadRequest`. `wrong`: with the call itself,
    told by its answer.
    """

    controller: Any
    action: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    read_body: Callable[[], Any] = nothing
    token: Any = None
    request_id: str = field(default_factory=new_request_id)
    volatile: Any = None
    base_url: str = ""
    wrong: BadRequest | None = None

    @cached_property
    def body(self) -> Any:
        """The parsed body, `None` without one. Raises `BadRequest`."""
        return self.read_body()

    @classmethod
    def from_message(cls, message: Mapping[str, Any], *, base_url: str, token: str | None = None) -> Self:
        """Return the call that one JSON object holds; the message's own `jwt` goes before the
        carrier's `token`.

        Raises `InvalidArgument` for a `requestId` that is no text, or too long: nobody could match the answer.
        """
        arguments = dict(message)
        held = {name: arguments.pop(name, None) for name in ENVELOPE_NAMES}
        wrong = wrong_volatile(held["volatile"])
        return cls(
            controller=held["controller"],
            action=held["action"],
            arguments=arguments,
            read_body=lambda: held["body"],
            token=own_token(token if held["jwt"] is None else held["jwt"]),
            request_id=request_id(held["requestId"]) or new_request_id(),
            volatile=held["volatile"] if wrong is None else None,
            base_url=base_url,
            wrong=wrong,
        )


def own_token(value: Any) -> Any:
    """Return the token, cut one character after the longest that is valid; what is no text as it
    is.
    """
    return value[: LONGEST_TOKEN + 1] if isinstance(value, str) else value


def request_id(value: Any) -> str:
    """Return the given request id, empty when there is none. Raises `InvalidArgument`."""
    return text("requestId", "" if value is None else value, longest=LONGEST_REQUEST_ID)


def wrong_volatile(value: Any) -> BadRequest | None:
    """Return the error of a `volatile` that cannot be echoed, `None` for one that can."""
    try:
        size = len(bodies.json_of("volatile", value))
    except InvalidArgument as error:
        return error
    if size > LARGEST_VOLATILE:
        return InvalidArgument("volatile", f"holds more than {LARGEST_VOLATILE:,} bytes.")
    return None
