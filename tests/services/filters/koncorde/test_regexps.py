"""Patterns as RE2 gets them."""

import pytest

from services.errors import InvalidFilter
from services.filters.koncorde.location import Location
from services.filters.koncorde.regexps import CATEGORIES, effective, finder, pattern


@pytest.mark.parametrize(
    ("source", "flags", "rewritten"),
    [
        ("a", "", "a"),
        ("a", "i", "(?i)a"),
        ("a", "ims", "(?ims)a"),
        ("a", "y", "a"),
        ("a", "iy", "(?i)a"),
        (r"\u0041", "", r"\x{0041}"),
        (r"\u41g", "", r"\x{41}g"),
        (r"\u{1F600}", "", r"\x{1F600}"),
        (r"\cJ", "", r"\x0a"),
        (r"[\cA-\cZ]", "", r"[\x01-\x1a]"),
        (r"\p{Letter}", "", r"\p{L}"),
        (r"\P{Script=Greek}", "", r"\P{Greek}"),
        (r"\p{sc=Han}", "", r"\p{Han}"),
        (r"\p{Lu}", "", r"\p{Lu}"),
        (r"\\u0041", "", r"\\u0041"),
        (r"\\\u0041", "", r"\\\x{0041}"),
        (r"\d\.\/", "", r"\d\.\/"),
        ("a\\\nb", "", "a\\\nb"),
        ("é😀", "", "é😀"),
    ],
)
def test_pattern(source: str, flags: str, rewritten: str) -> None:
    """JavaScript's escapes become RE2's."""
    assert pattern(source, flags, Location()) == rewritten


@pytest.mark.parametrize("name", CATEGORIES)
def test_every_category_is_known(name: str) -> None:
    """To RE2, by its short name; but for those that it does not have."""
    unknown = {"Cased_Letter", "Unassigned"}
    if name in unknown:
        with pytest.raises(InvalidFilter):
            pattern(f"\\p{{{name}}}", "", Location())
    else:
        assert pattern(f"\\p{{{name}}}", "", Location())


@pytest.mark.parametrize(
    ("given", "kept"), [("", ""), ("gud", ""), ("yi", "iy"), ("iiii", "i"), ("smi!", "ims"), ("I", "")]
)
def test_effective_flags(given: str, kept: str) -> None:
    """Each once, in one order, however they are given."""
    assert effective(given) == kept


def test_finds_anywhere_or_at_the_start() -> None:
    """As `y` says."""
    assert finder("b", at_start=False)("abc")
    assert not finder("b", at_start=True)("abc")
    assert finder("a|b", at_start=True)("bca")


def test_never_backtracks() -> None:
    """What takes other engines for ever is answered at once: the test would time out."""
    assert not finder("(a*)*b", at_start=False)("a" * 5_000)


def test_text_that_is_no_unicode() -> None:
    """Is searched like any other."""
    assert finder("b", at_start=False)("a\ud800b")
