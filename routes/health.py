"""The health checks: `/_healthz` (the process is alive), `/_readyz` (its store answers)."""

from flask import Blueprint, Response, jsonify

from actions.paths import ALIVE, READY
from services.stores.port import Store


def blueprint(store: Store) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get(ALIVE)
    def alive() -> Response:
        return jsonify(status="alive")

    @routes.get(READY)
    def ready() -> Response:
        store.ready()
        return jsonify(status="ready")

    return routes
