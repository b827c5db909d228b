"""The routes that Kuzzle's SDK asks when it connects, and `POST /_query`."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from actions.dispatcher import Dispatcher
from actions.paths import QUERY, SDK_ROUTES
from routes import calls


def blueprint(dispatcher: Dispatcher) -> Blueprint:
    routes = Blueprint("kuzzle", __name__)
    for controller, actions in SDK_ROUTES.items():
        for action, (verb, path) in actions.items():
            routes.add_url_rule(path, action, _view(dispatcher, controller, action), methods=[verb])

    @routes.post(QUERY)
    def query() -> Response:
        return calls.answer(dispatcher.answer(calls.message_call(request)))

    return routes


def _view(dispatcher: Dispatcher, controller: str, action: str) -> Callable[[], Response]:
    def view() -> Response:
        return calls.answer(dispatcher.answer(calls.call(request, controller, action)))

    return view
