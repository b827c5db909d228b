"""The dispatcher: finds the action of a call and answers with an envelope, errors included."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from actions import envelope
from actions.calls import Call
from actions.envelope import LONGEST_NAME, Envelope
from schemas.fields import text
from services.errors import MissingArgument, ServiceError, UnknownAction, UnknownController

log = logging.getLogger(__name__)

Action = Callable[[Call], Any]


class Dispatcher:
    """Answers calls of `actions`, by controller and action."""

    def __init__(self, actions: Mapping[str, Mapping[str, Action]]) -> None:
        self._actions = actions

    def answer(self, call: Call) -> Envelope:
        """Return the envelope of the result or of the error. Never raises."""
        try:
            return envelope.of_result(call, self._find(call)(call))
        except ServiceError as error:
            return envelope.of_error(call, error)
        except Exception:
            log.exception("request %s failed", call.request_id)
            return envelope.of_error(call, ServiceError("The service failed; its log tells more."))

    def _find(self, call: Call) -> Action:
        if call.wrong is not None:
            raise call.wrong
        controller, action = _name("controller", call.controller), _name("action", call.action)
        actions = self._actions.get(controller)
        if actions is None:
            raise UnknownController(controller)
        if action not in actions:
            raise UnknownAction(controller, action)
        return actions[action]


def _name(argument: str, value: Any) -> str:
    if value is None:
        raise MissingArgument(argument)
    return text(argument, value, longest=LONGEST_NAME)
