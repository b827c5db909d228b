"""Build the application from settings and a store."""

import threading
import time
from collections.abc import Callable

from flask import Flask

from actions.catalogue import actions
from actions.dispatcher import Dispatcher
from actions.exports import Exports
from actions.session import Session
from config import Settings
from routes import cli, cors, errors, exports, health, kuzzle, openapi, public_key
from routes.calls import LARGEST_BODY
from routes.hosts import AnyHost
from routes.paths import PartConverter, RawPaths
from routes.websocket.middleware import MOST_SOCKETS, MakeSession, WebSockets
from services import hosts
from services.access import Access
from services.formats import Maker
from services.kept_secret import beside, kept_secret
from services.links import Links
from services.scheduling.cpu_turn import CpuTurns
from services.signing import OwnKey
from services.stores.port import Store

#: Tells epoch seconds.
Clock = Callable[[], float]


def create_app(settings: Settings, store: Store, turns: CpuTurns, *, clock: Clock = time.time) -> Flask:
    """Return the application; the store shares `turns`: a process decodes or encodes one page at a
    time.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.converters["part"] = PartConverter
    app.url_map.merge_slashes = False
    access = make_access(settings, clock)
    key = OwnKey(settings.signing_key_file, database=settings.sqlite_path if settings.embedded else None)
    maker = Maker(key=key.get, clock=clock)
    prepared = Exports(
        store=store,
        links=Links(link_secrets(settings), ttl_seconds=settings.link_ttl_seconds, clock=clock),
        admission=access,
        lang=settings.default_lang,
        public_url=settings.public_url,
        formula_guard=settings.csv_formula_guard,
        maker=maker,
        clock=clock,
    )
    dispatcher = Dispatcher(actions(prepared, access))
    permits = threading.BoundedSemaphore(exports.MOST_DOWNLOADS)
    downloads = exports.Downloads(store=store, turns=turns, maker=maker, permits=permits)
    app.register_blueprint(exports.blueprint(dispatcher, prepared, downloads))
    app.register_blueprint(kuzzle.blueprint(dispatcher))
    app.register_blueprint(health.blueprint(store))
    app.register_blueprint(public_key.blueprint(key))
    app.register_blueprint(openapi.blueprint())
    errors.register(app)
    cors.register(app, settings.cors_origins)
    cli.register(app, sqlite_path=settings.sqlite_path, api_keys_file=settings.api_keys_file, key=key)
    http = AnyHost(RawPaths(app.wsgi_app))
    websockets = WebSockets(
        http, session_maker(dispatcher, access, clock), origins=origins(settings), most=MOST_SOCKETS
    )
    app.wsgi_app = websockets  # type: ignore[method-assign]
    app.extensions["websockets"] = websockets
    app.extensions["own_key"] = key
    return app


def session_maker(dispatcher: Dispatcher, access: Access, clock: Clock) -> MakeSession:
    return lambda base_url: Session(dispatcher, base_url=base_url, expires_at=access.expires_at, clock=clock)


def origins(settings: Settings) -> tuple[str, ...]:
    """Return the origins whose pages may open a WebSocket, the service's own among them."""
    own = (hosts.origin(settings.public_url),) if settings.public_url else ()
    return settings.cors_origins + own


def link_secrets(settings: Settings) -> tuple[str, ...]:
    """Return the secrets that are set, else (embedded) one kept beside the data.

    Raises `SecretUnusable`.
    """
    if settings.link_secrets:
        return settings.link_secrets
    return (kept_secret(beside(settings.sqlite_path)),)


def make_access(settings: Settings, clock: Clock) -> Access:
    return Access(
        settings.auth,
        kuzzle_jwt_secret=settings.kuzzle_jwt_secret,
        kuzzle_url=settings.kuzzle_url,
        api_keys_file=settings.api_keys_file,
        clock=clock,
    )
