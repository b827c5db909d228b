"""Hosts: what a URL may name, and where this machine can listen."""

import ipaddress
import re
import socket
from contextlib import closing
from urllib.parse import unquote, urlsplit

#: Characters of a name (RFC 3986, section 3.2.2).
LONGEST = 255

DEFAULT_PORTS = {"http": 80, "https": 443}

_AUTHORITY = re.compile(
    r"""
    (?P<host> \[ (?P<address>[0-9A-Fa-f:.]+) \]
            | (?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+ )
    (?: : (?P<port>[0-9]{0,5}) )?
    """,
    re.VERBOSE,
)

#: Of a name whose percent-encoded characters are decoded: what ends it, or is no part of a name.
_NO_NAME = re.compile(r'[\x00-\x20"#%/:<>?@\[\\\]^`{|}\x7f]')

#: What `HOST` may be where it is no address.
_LISTENING_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")


def authority(text: str, scheme: str) -> str | None:
    """Return host and port as a URL of the scheme has them, without its own port; `None`: that
    makes no URL.

    A registered name as RFC 3986 has it (`measures_export`), an address of IPv4, or of IPv6 in
    brackets without zone.
    """
    found = _AUTHORITY.fullmatch(text)
    if found is None or len(text) > LONGEST:
        return None
    port = int(found["port"]) if found["port"] else DEFAULT_PORTS.get(scheme, 0)
    if not (0 < port <= 65535 and (_is_ipv6(found["address"]) if found["address"] else _is_name(found["host"]))):
        return None
    return found["host"] if port == DEFAULT_PORTS.get(scheme) else f"{found['host']}:{port}"


def origin(url: str) -> str:
    """Return the origin of a good URL, as a browser writes it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{authority(parts.netloc, parts.scheme)}".lower()


def listening(text: str) -> str | None:
    """Return the host of `HOST` without brackets; `None`: it is neither a name nor an address."""
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if _is_ipv6(host) or (_LISTENING_NAME.fullmatch(text) and len(text) <= LONGEST):
        return host
    return None


def bracketed(host: str) -> str:
    """Return a host as it stands before `:` and a port."""
    return f"[{host}]" if ":" in host else host


def unusable(host: str) -> str | None:
    """Return why this machine cannot listen on a host, as the second half of a sentence; `None`: it can."""
    try:
        with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError) as error:
        return f"must be an address or a name of this machine; {host} is none ({getattr(error, 'strerror', error)})"
    return None


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text).scope_id is None
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    try:
        return not _NO_NAME.search(unquote(text, errors="strict"))
    except UnicodeDecodeError:
        return False
