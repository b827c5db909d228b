"""Verbs of the HTTP side: prepare, download."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from config import from_env
from services.scheduling.cpu_turn import CpuTurns
from tests.fakes import FakeStore
from tests.support.clock import Clock

SECRETS = {"LINK_SECRETS": "s" * 32}

Prepare = Callable[..., TestResponse]


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(store: FakeStore, clock: Clock) -> FlaskClient:
    return create_app(from_env(SECRETS), store, CpuTurns(), clock=clock).test_client()


@pytest.fixture
def prepare(client: FlaskClient) -> Prepare:
    """POSTs an export of the asset `a`."""

    def post(path: str = "/_/device-manager/e/assets/a/measures/_export", **options: Any) -> TestResponse:
        return client.post(path, **options)

    return post


@pytest.fixture
def link(prepare: Prepare) -> str:
    """Path and query string of a link of the asset `a`."""
    answer = prepare().get_json()
    return str(answer["result"]["link"]).removeprefix("http://localhost")
