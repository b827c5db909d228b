"""Names of indices: what Kuzzle takes, and nothing that Elasticsearch reads as more than one name."""

import pytest

from services.index_names import LONGEST, is_index
from services.stores.elasticsearch.names import alias, path


@pytest.mark.parametrize(
    "name", ["demo", "engine-peer", "a", "0", "é", "日本", "a_b", "a(b)", "a=b", "a'b", "a" * LONGEST]
)
def test_an_index(name: str) -> None:
    """As Kuzzle takes them."""
    assert is_index(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "Demo", "É", "a b", " a", "a\n", "a\t", "a\0", "a\u200b", "a\u2028", "a" * (LONGEST + 1),
        "é" * (LONGEST // 2 + 1), "*", "a*", "a,b", "a/b", "../a", "..", ".", ".kibana", "a\\b", "a?b", 'a"b', "<a>",
        "a|b", "a#b", "a:b", "a%b", "a%2fb", "a&b", "&demo", "%demo", "a+b", "+a", "\ud800", "a\udfff",
    ],
)  # fmt: skip
def test_no_index(name: str) -> None:
    """An unknown engine, then; no such text reaches a URL or a search."""
    assert not is_index(name)


def test_an_alias_is_one_part_of_a_url() -> None:
    """Percent-encoded whole."""
    assert alias("demo", "measures") == "@&demo.measures"
    assert path(alias("demo", "measures")) == "/%40%26demo.measures"
    assert path(alias("é/..", "a?b")) == "/%40%26%C3%A9%2F...a%3Fb"
