"""Tokens as Kuzzle signs them, a clock that stands still, a Kuzzle that judges, a file of keys."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from services.access import Access
from services.access.rights import Right
from tests.support.judge import Judge, judge

#: Shorter than PyJWT likes, and what a Kuzzle may well have.
SECRET = "kuzzle's own"

NOW = 1_718_000_000
HOUR = 3600

ASSET = Right("demo", "assets", "Container-1")
DEVICE = Right("demo", "devices", "DummyTemp-1")
ELSEWHERE = Right("other", "assets", "Container-1")

MakeAccess = Callable[..., Access]
WriteKeys = Callable[..., None]


def token(claims: dict[str, Any] | None = None, *, prefix: str = "kauth-", secret: str = SECRET, **how: Any) -> str:
    """Of user `bob`, for an hour; `claims` are added, those of `None` are left out."""
    payload = {"_id": "bob", "iat": NOW, "exp": NOW + HOUR} | (claims or {})
    kept = {name: value for name, value in payload.items() if value is not None}
    return prefix + jwt.encode(kept, secret.ljust(64, "\0"), **{"algorithm": "HS256"} | how)


def key_entry(key: str, **others: Any) -> dict[str, Any]:
    return {"name": "ci", "sha256": hashlib.sha256(key.encode()).hexdigest(), "engines": ["demo"]} | others


@pytest.fixture
def kuzzle() -> Iterator[Judge]:
    with judge() as found:
        yield found


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def write_keys(keys_file: Path) -> WriteKeys:
    def write(*entries: dict[str, Any]) -> None:
        keys_file.write_text(json.dumps(entries))

    return write


@pytest.fixture
def make_access(kuzzle: Judge, keys_file: Path) -> MakeAccess:
    """`make_access("api-keys", "kuzzle")`, with all settings there are."""

    def make(*methods: str, clock: Callable[[], float] = lambda: NOW) -> Access:
        return Access(
            methods, kuzzle_jwt_secret=SECRET, kuzzle_url=kuzzle.url, api_keys_file=str(keys_file), clock=clock
        )

    return make
