"""Fields as `exists` writes them."""

import pytest

from services.filters.koncorde.location import Location
from services.filters.koncorde.nodes import Has, Item
from services.filters.koncorde.paths import field_or_item, path_of


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a", Has("a")),
        ("a.b", Has("a.b")),
        ("a[1]", Item("a", 1)),
        ("a.b[ null ]", Item("a.b", None)),
        ('a["[x]"]', Item("a", "[x]")),
        ("a[[1,[2]]]", Item("a", [1, [2]])),
        (r"a\[1]", Has("a[1]")),
        (r"a\[1\]", Has("a[1]")),
        (r"a\[b\][1]", Item("a[b]", 1)),
        (r"a\\[1]", Has(r"a\[1]")),
        ("[1]", Has("[1]")),
        ("[[1]", Item("[", 1)),
        ("a[1", Has("a[1")),
        ("a[1].b", Has("a[1].b")),
        ("a]", Has("a]")),
        ("a[1\n]", Has("a[1\n]")),
        ("\n[1]", Item("\n", 1)),
        ("a\n[1]", Item("a\n", 1)),
        ("a\nb[1]", Has("a\nb[1]")),
    ],
)
def test_field_or_item(text: str, node: Has | Item) -> None:
    """As the engine's own expression splits it."""
    assert field_or_item(text, Location()) == node
    assert field_or_item(path_of(node), Location()) == node
