"""Make the application that gunicorn loads, from the settings of the environment."""

import logging
import os
import sys
from typing import NoReturn

from flask import Flask

from app import create_app
from config import Settings, SettingsError, from_env
from services.errors import StoreUnavailable
from services.kept_file import SecretUnusable
from services.scheduling.cpu_turn import CpuTurns
from services.signing import OwnKey
from services.stores.port import Store

log = logging.getLogger(__name__)

#: What a worker ends with that gunicorn is not to start again: `Arbiter.APP_LOAD_ERROR`.
GIVE_UP = 4


def make_app() -> Flask:
    """Return the application.

    Exits with a sentence for every wrong setting, and for a store or a secret that cannot be had.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("elastic_transport").setLevel(logging.WARNING)
    try:
        settings = from_env(os.environ)
        turns = CpuTurns()
        app = create_app(settings, make_store(settings, turns), turns)
        if not is_command():
            tell_key(app.extensions["own_key"])
        return app
    except (SettingsError, SecretUnusable, StoreUnavailable) as error:
        give_up(f"The service cannot start:\n{error}")


def is_command() -> bool:
    """Return whether a command of `flask` asks: it serves nobody, and needs no key of its own."""
    return os.environ.get("FLASK_RUN_FROM_CLI") == "true"


def tell_key(own: OwnKey) -> None:
    """Write to the log by which key packages are checked; the embedded one is made here. Raises `SecretUnusable`."""
    key = own.get()
    if key is not None:
        log.info("packages are signed by the key %s", key.public.fingerprint)


def give_up(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr, flush=True)
    sys.exit(GIVE_UP)


def make_store(settings: Settings, turns: CpuTurns) -> Store:
    """Return the store that the settings name; only its module is imported: the other's libraries
    cost memory.
    """
    if settings.embedded:
        from services.stores.sqlite import SqliteStore

        return SqliteStore(settings.sqlite_path, turns, admin_index=settings.admin_index)
    from services.stores.elasticsearch import ElasticsearchStore, PrefetchBudget

    name, password = settings.elasticsearch_username, settings.elasticsearch_password
    return ElasticsearchStore(
        settings.elasticsearch_urls,
        turns=turns,
        prefetch=PrefetchBudget(settings.prefetch_bytes),
        admin_index=settings.admin_index,
        timeout_seconds=settings.elasticsearch_timeout_seconds,
        retry_budget_seconds=settings.retry_budget_seconds,
        api_key=settings.elasticsearch_api_key,
        basic_auth=None if name is None or password is None else (name, password),
        ca_certs=settings.elasticsearch_ca_certs,
    )


app = make_app()
