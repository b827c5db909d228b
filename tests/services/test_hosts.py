"""Which hosts make a URL."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hosts import authority, bracketed, listening, origin, unusable


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("localhost", "localhost"),
        ("localhost:7512", "localhost:7512"),
        ("measures_export:7512", "measures_export:7512"),
        ("_", "_"),
        ("A-b.Example.", "A-b.Example."),
        ("a~b!$&'()*+,;=c", "a~b!$&'()*+,;=c"),
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("[::1]:7512", "[::1]:7512"),
        ("[::]", "[::]"),
        ("[2001:DB8::1]", "[2001:DB8::1]"),
        ("[::ffff:1.2.3.4]:65535", "[::ffff:1.2.3.4]:65535"),
        ("xn--caf-dma.example", "xn--caf-dma.example"),
        ("caf%C3%A9.example", "caf%C3%A9.example"),
        ("a:80", "a"),
        ("a:", "a"),
        ("a:443", "a:443"),
        ("a:08080", "a:8080"),
        ("a" * 255, "a" * 255),
    ],
)
def test_a_host_that_makes_a_url(text: str, written: str) -> None:
    """What RFC 3986 allows, without the scheme's own port."""
    assert authority(text, "http") == written
    assert urlsplit(f"http://{written}/").netloc == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        ":7512",
        "a:99999",
        "a:65536",
        "a:0",
        "a:-1",
        "a:x",
        "a:123456",
        "a:7512:7512",
        "a:\u0661",
        "a b",
        " a",
        "a\n",
        "a\t",
        "a\0",
        "caf\xc3\xa9",
        "é",
        "日",
        "\ud800",
        "a@b",
        "a:b@c",
        "a/b",
        "a\\b",
        "a?b",
        "a#b",
        'a"b',
        "<a>",
        "a^b",
        "a`b",
        "a{b}",
        "a|b",
        "a%",
        "a%2",
        "a%zz",
        "a%20b",
        "a%2Fb",
        "a%40b",
        "a%00",
        "a%FF",
        "%25",
        "[",
        "[]",
        "[::1",
        "::1",
        "::1]:80",
        "[::1]7512",
        "[::1]:99999",
        "[fe80::1%eth0]:7512",
        "[fe80::1%25eth0]",
        "[v1.a]",
        "[1.2.3.4]",
        "[:::1]",
        "[12345::]",
        "[[::1]]",
        "http://a",
        "//a",
        "a,b c",
        "a" * 256,
    ],
)
def test_a_host_that_makes_none(text: str) -> None:
    """No link begins with it."""
    assert authority(text, "http") is None


@given(st.text(max_size=20) | st.text(alphabet="aZ09._~!$&'()*+,;=-%:[]@/ é", max_size=12))
def test_no_host_becomes_another(text: str) -> None:
    """What a URL begins with is what a reader of URLs finds there."""
    written = authority(text, "https")
    if written is not None:
        parts = urlsplit(f"https://{written}/x?y")
        assert (parts.netloc, parts.path, parts.query, parts.username) == (written, "/x", "y", None)
        assert parts.hostname
        assert parts.port != 443


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://Export.example/prefix", "https://export.example"),
        ("https://export.example:443", "https://export.example"),
        ("http://export.example:443/", "http://export.example:443"),
        ("http://[::1]:7512/", "http://[::1]:7512"),
    ],
)
def test_origins(url: str, found: str) -> None:
    """As browsers write them."""
    assert origin(url) == found


@pytest.mark.parametrize(
    ("text", "host"),
    [("::1", "::1"), ("[::]", "::"), ("10.0.0.1", "10.0.0.1"), ("a_b", "a_b"), ("a:1", None), ("", None), ("[a]", None),
     ("fe80::1%eth0", None), ("a b", None), ("unix:/a", None), ("a" * 256, None)],
)  # fmt: skip
def test_where_to_listen(text: str, host: str | None) -> None:
    """An address or a name."""
    assert listening(text) == host


def test_brackets() -> None:
    """Around an address of IPv6 alone."""
    assert [bracketed(host) for host in ("::1", "127.0.0.1", "localhost")] == ["[::1]", "127.0.0.1", "localhost"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_hosts_of_this_machine(host: str) -> None:
    """It can listen there."""
    assert unusable(host) is None


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "2001:db8::1"])
def test_hosts_that_are_not(host: str) -> None:
    """The sentence names it, and no port."""
    assert str(unusable(host)).startswith(f"must be an address or a name of this machine; {host} is none (")
