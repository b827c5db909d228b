"""A file name that is safe on every system, and the header that carries it."""

import unicodedata
from urllib.parse import quote

from services.measures import Target

#: Characters that Windows, macOS or a shell give a meaning.
RESERVED = frozenset('/\\:*?"<>|')

#: Characters at most: 255 bytes hold any file name on common systems, with room for ` (1)`.
LONGEST = 120


def file_name(target: Target) -> str:
    """`asset-<id>.csv`, with `_` for what a file name may not hold."""
    safe = "".join("_" if _unsafe(character) else character for character in target.id)
    return f"{target.kind.removesuffix('s')}-{safe[:LONGEST]}.csv"


def content_disposition(name: str) -> str:
    """An attachment of that name: plain for old clients, UTF-8 (RFC 5987) for the others."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _unsafe(character: str) -> bool:
    """Control and format characters (right-to-left override among them) hide what a name ends in."""
    return character in RESERVED or (unicodedata.category(character)[0] in "CZ" and character != " ")
