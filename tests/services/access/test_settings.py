"""What is said of a secret that is none, and of keys that cannot be read."""

from pathlib import Path

import pytest

from services.access.settings import problems
from tests.services.access.conftest import WriteKeys, key_entry


@pytest.mark.parametrize(
    ("secret", "keys", "found"),
    [
        (None, None, []),
        ("s", None, []),
        ("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----", None,
         ["KUZZLE_JWT_SECRET must be Kuzzle's security.authToken.secret, not a public key or certificate."]),
        (None, "/nowhere/keys.json",
         ["API_KEYS_FILE cannot be read: No such file or directory. "
          "Make one with: flask --app wsgi make-key NAME --engine ID."]),
    ],
)  # fmt: skip
def test_problems(secret: str | None, keys: str | None, found: list[str]) -> None:
    """A sentence each, naming the variable."""
    assert problems(kuzzle_jwt_secret=secret, api_keys_file=keys) == found


def test_a_file_of_keys_is_looked_into(write_keys: WriteKeys, keys_file: Path) -> None:
    """At start, rather than at the first request."""
    write_keys(key_entry("k"))
    assert problems(kuzzle_jwt_secret=None, api_keys_file=str(keys_file)) == []
    write_keys(key_entry("k", engines="demo"))
    found = problems(kuzzle_jwt_secret=None, api_keys_file=str(keys_file))
    assert found == ['API_KEYS_FILE is wrong: the engines of "ci" must be a list of ids, or "*".']
