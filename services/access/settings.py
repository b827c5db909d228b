"""What is wrong with the settings of each way of `AUTH`, a sentence each."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

from services.access.keys import KeysUnreadable, read

METHODS = ("anonymous", "kuzzle-jwt", "api-keys", "kuzzle")


def problems(
    methods: tuple[str, ...], *, kuzzle_jwt_secret: str | None, kuzzle_url: str | None, api_keys_file: str | None
) -> list[str]:
    """Looks into API_KEYS_FILE, too: a service that starts can judge."""
    if not methods or not set(methods) <= set(METHODS):
        return [f"AUTH must be one or more of {', '.join(METHODS)}, comma-separated."]
    checks: dict[str, tuple[Callable[[str], list[str]], str, str | None]] = {
        "kuzzle-jwt": (of_secret, "KUZZLE_JWT_SECRET", kuzzle_jwt_secret),
        "kuzzle": (of_url, "KUZZLE_URL", kuzzle_url),
        "api-keys": (of_keys, "API_KEYS_FILE", api_keys_file),
    }
    found = []
    for method, (check, name, value) in checks.items():
        if method in methods:
            found += check(value) if value else [f"{name} is required by AUTH={method}."]
    return found


def of_secret(secret: str) -> list[str]:
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except InvalidKeyError:
        return ["KUZZLE_JWT_SECRET must be Kuzzle's security.authToken.secret, not a public key or certificate."]
    return []


def of_url(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    return [] if fine else ["KUZZLE_URL must be an http:// or https:// URL."]


def of_keys(path: str) -> list[str]:
    try:
        read(Path(path))
    except KeysUnreadable as error:
        hint = "" if Path(path).exists() else " Make one with: flask --app wsgi make-key NAME --engine ID."
        return [f"API_KEYS_FILE {error}{hint}"]
    return []
