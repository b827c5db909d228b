"""Check the values of the settings of `AUTH`; `config` checks that they are there."""

from pathlib import Path

from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

from services.access.keys import KeysUnreadable, read_keys


def problems(*, kuzzle_jwt_secret: str | None, api_keys_file: str | None) -> list[str]:
    """Return what is wrong, a sentence each; `None`: not needed.

    Looks into API_KEYS_FILE: a service that starts can judge.
    """
    return [
        *([] if kuzzle_jwt_secret is None else of_secret(kuzzle_jwt_secret)),
        *([] if api_keys_file is None else of_keys(api_keys_file)),
    ]


def of_secret(secret: str) -> list[str]:
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except InvalidKeyError:
        return ["KUZZLE_JWT_SECRET must be Kuzzle's security.authToken.secret, not a public key or certificate."]
    return []


def of_keys(path: str) -> list[str]:
    try:
        read_keys(Path(path))
    except KeysUnreadable as error:
        hint = "" if Path(path).exists() else " Make one with: flask --app wsgi make-key NAME --engine ID."
        return [f"API_KEYS_FILE {error}{hint}"]
    return []
