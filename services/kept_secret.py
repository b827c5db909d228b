"""The secret of links that the embedded service makes for itself and keeps beside its data."""

import re
import secrets
from pathlib import Path

from services.kept_file import KeptFile

#: Bytes of chance in a secret.
CHANCE_BYTES = 32

KEPT = KeptFile(
    name="link-secret",
    holds="the secret of links",
    make=lambda: secrets.token_urlsafe(CHANCE_BYTES).encode(),
    written=re.compile(rb"[A-Za-z0-9_-]{43}\n?"),
    remedy="Delete it, and a new one is made: links given out within the last LINK_TTL_SECONDS end. "
    "Or set LINK_SECRETS.",
)

beside, problems = KEPT.beside, KEPT.problems


def kept_secret(path: Path) -> str:
    """Return the secret in a file, made at first use. Raises `SecretUnusable`."""
    return KEPT.content(path).decode().strip()
