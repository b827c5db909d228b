"""What is said of settings that are missing or wrong."""

from pathlib import Path
from typing import Any

import pytest

from services.access.settings import problems
from tests.services.access.conftest import WriteKeys, key_entry

NONE: dict[str, Any] = {"kuzzle_jwt_secret": None, "kuzzle_url": None, "api_keys_file": None}


@pytest.mark.parametrize(
    ("methods", "given", "found"),
    [
        (("anonymous",), {}, []),
        (("kuzzle-jwt",), {"kuzzle_jwt_secret": "s"}, []),
        (("kuzzle",), {"kuzzle_url": "https://kuzzle.example:7512/prefix"}, []),
        (("kuzzle-jwt", "kuzzle", "api-keys"), {}, [
            "KUZZLE_JWT_SECRET is required by AUTH=kuzzle-jwt.",
            "KUZZLE_URL is required by AUTH=kuzzle.",
            "API_KEYS_FILE is required by AUTH=api-keys.",
        ]),
        ((), {}, ["AUTH must be one or more of anonymous, kuzzle-jwt, api-keys, kuzzle, comma-separated."]),
        (("kuzle",), {}, ["AUTH must be one or more of anonymous, kuzzle-jwt, api-keys, kuzzle, comma-separated."]),
        (("kuzzle",), {"kuzzle_url": "kuzzle:7512"}, ["KUZZLE_URL must be an http:// or https:// URL."]),
        (("kuzzle",), {"kuzzle_url": "ws://kuzzle:7512"}, ["KUZZLE_URL must be an http:// or https:// URL."]),
        (("kuzzle",), {"kuzzle_url": "http://kuzzle:port"}, ["KUZZLE_URL must be an http:// or https:// URL."]),
        (("kuzzle-jwt",), {"kuzzle_jwt_secret": "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----"},
         ["KUZZLE_JWT_SECRET must be Kuzzle's security.authToken.secret, not a public key or certificate."]),
        (("api-keys",), {"api_keys_file": "/nowhere/keys.json"},
         ["API_KEYS_FILE cannot be read: No such file or directory. "
          "Make one with: flask --app wsgi make-key NAME --engine ID."]),
    ],
)  # fmt: skip
def test_problems(methods: tuple[str, ...], given: dict[str, Any], found: list[str]) -> None:
    """A sentence each, naming the variable."""
    assert problems(methods, **NONE | given) == found


def test_a_file_of_keys_is_looked_into(write_keys: WriteKeys, keys_file: Path) -> None:
    """At start, rather than at the first request."""
    settings = NONE | {"api_keys_file": str(keys_file)}
    write_keys(key_entry("k"))
    assert problems(("api-keys",), **settings) == []
    write_keys(key_entry("k", engines="demo"))
    found = problems(("api-keys",), **settings)
    assert found == ['API_KEYS_FILE is wrong: the engines of "ci" must be a list of ids, or "*".']
