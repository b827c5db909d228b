"""The actions of the service by controller, and `server:publicApi`, which lists them."""

from collections.abc import Mapping
from typing import Any, Protocol

from actions import paths
from actions.calls import Call
from actions.dispatcher import Action
from actions.exports import Exports
from schemas.fields import Token
from services.measures import Kind

Routes = list[dict[str, str]]


class Tokens(Protocol):
    """What callers may ask about their own token."""

    def check_token(self, token: str | None) -> dict[str, Any]: ...

    def user(self, token: str | None) -> dict[str, Any]: ...


def actions(exports: Exports, tokens: Tokens) -> Mapping[str, Mapping[str, Action]]:
    return {
        "device-manager/assets": {"exportMeasures": lambda call: exports.prepare(call, "assets")},
        "device-manager/devices": {"exportMeasures": lambda call: exports.prepare(call, "devices")},
        "device-manager/measures": {"export": exports.prepare_fleet},
        "auth": {
            "checkToken": lambda call: tokens.check_token(_token_asked_about(call)),
            "getCurrentUser": lambda call: tokens.user(_token("jwt", call.token)),
        },
        "server": {
            "publicApi": lambda _: public_api(),
            "info": lambda _: {"serverInfo": {"kuzzle": {"api": {"routes": public_api()}}}},
        },
    }


def public_api() -> dict[str, dict[str, dict[str, Any]]]:
    """Return controllers, their actions and routes, in the form of Kuzzle's `server:publicApi`.

    The SDK takes the shortest `url` of an action: for an export that must be the `POST`.
    """
    return {
        controller: {
            action: {"controller": controller, "action": action, "http": routes} for action, routes in routed.items()
        }
        for controller, routed in ROUTES.items()
    }


def _route(verb: str, path: str) -> dict[str, str]:
    return {"verb": verb, "path": path, "url": path}


FLEET_ROUTES: Routes = [_route("POST", paths.FLEET_EXPORT), _route("GET", paths.FLEET_DOWNLOAD)]


def _export_routes(kind: Kind) -> Routes:
    return [
        _route("POST", paths.filled(paths.EXPORT, kind=kind)),
        _route("GET", paths.filled(paths.DOWNLOAD, kind=kind)),
    ]


ROUTES: Mapping[str, Mapping[str, Routes]] = {
    "device-manager/assets": {"exportMeasures": _export_routes("assets")},
    "device-manager/devices": {"exportMeasures": _export_routes("devices")},
    "device-manager/measures": {"export": FLEET_ROUTES},
    **{
        controller: {action: [_route(*route)] for action, route in routes.items()}
        for controller, routes in paths.SDK_ROUTES.items()
    },
}


def _token_asked_about(call: Call) -> str | None:
    """Return the body's `token`, else the caller's own."""
    asked = call.body.get("token") if isinstance(call.body, Mapping) else None
    return _token("token", call.token if asked is None else asked)


_token = Token().read
