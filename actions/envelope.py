"""Kuzzle's response envelope, of one shape for results and errors."""

import secrets
from typing import Any

from actions.calls import Call
from services.errors import ServiceError, unicode

Envelope = dict[str, Any]

#: Characters of the name of a controller, or of an action: it is echoed.
LONGEST_NAME = 200

#: Tells processes apart in a log, as Kuzzle's node names do.
NODE = f"measures-export-{secrets.token_hex(4)}"


def of_result(call: Call, result: Any) -> Envelope:
    return _envelope(call, 200, None, result)


def of_error(call: Call, error: ServiceError) -> Envelope:
    told = {
        "message": error.message,
        "status": error.status,
        "id": error.id,
        "code": error.code,
        "props": dict(error.props),
    }
    return _envelope(call, error.status, told, None)


def _envelope(call: Call, status: int, error: Any, result: Any) -> Envelope:
    return {
        "status": status,
        "error": error,
        "controller": _echoed(call.controller),
        "action": _echoed(call.action),
        "requestId": call.request_id,
        "result": result,
        "headers": {},
        "node": NODE,
        "volatile": call.volatile,
    }


def _echoed(name: Any) -> str | None:
    """Return the name, `None` where it is no text or too long to echo."""
    return unicode(name) if isinstance(name, str) and len(name) <= LONGEST_NAME else None
