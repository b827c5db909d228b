"""What was asked, whatever carried it: an HTTP route, `POST /_query` or a WebSocket message."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from services.errors import InvalidType

#: Names of a message that are no arguments of an action.
ENVELOPE_NAMES = frozenset({"controller", "action", "body", "jwt", "volatile", "requestId"})


def new_request_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, kw_only=True)
class Call:
    """`arguments` stand at the root; `token` is the caller's own; `base_url` is where links begin."""

    controller: Any
    action: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    token: Any = None
    request_id: str = field(default_factory=new_request_id)
    volatile: Any = None
    base_url: str = ""

    @classmethod
    def from_message(cls, message: Mapping[str, Any], *, base_url: str, token: str | None = None) -> Self:
        """A whole request as one JSON object; `token` is the carrier's, the message's own `jwt` comes first.

        Raises `InvalidType` for a `requestId` that is no text: nobody could match the answer.
        """
        request_id = message.get("requestId") or new_request_id()
        if not isinstance(request_id, str):
            raise InvalidType("requestId", "must be a text.")
        return cls(
            controller=message.get("controller"),
            action=message.get("action"),
            arguments={name: value for name, value in message.items() if name not in ENVELOPE_NAMES},
            body=message.get("body"),
            token=message.get("jwt") if message.get("jwt") is not None else token,
            request_id=request_id,
            volatile=message.get("volatile"),
            base_url=base_url,
        )
