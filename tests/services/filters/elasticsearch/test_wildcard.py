"""Regular expressions as patterns of `wildcard`: never fewer texts."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidFilter
from services.filters.elasticsearch.wildcard import MOST_ALTERNATIVES, MOST_LITERALS, MOST_NESTED, wildcards
from services.filters.koncorde import regexps
from services.filters.koncorde.location import Location


@pytest.mark.parametrize(
    ("source", "flags", "patterns"),
    [
        ("dev", "", ["*dev*"]),
        ("^dev", "", ["dev*"]),
        (r"dev\z", "", ["*dev"]),
        ("^$", "", [""]),
        (r"\Adev-\d+$", "", ["dev-*"]),
        ("^a|b$|c", "", ["*b", "*c*", "a*"]),
        ("^dev$", "m", ["*dev*"]),
        ("^dev$", "y", ["dev"]),
        ("a^b$c", "", ["*a*b*c*"]),
        ("a.c", "", ["*a*c*"]),
        ("ab*c", "", ["*a*c*"]),
        ("ab+c", "", ["*ab*c*"]),
        ("ab+?c", "", ["*ab*c*"]),
        ("ab{2,3}c", "", ["*ab*c*"]),
        ("ab{0,3}c", "", ["*a*c*"]),
        ("a(bc)d", "", ["*abcd*"]),
        ("a(bc)+d", "", ["*abc*d*"]),
        ("a(bc)?d", "", ["*a*d*"]),
        ("a(?:b|c)d", "", ["*a*d*"]),
        ("(?P<n>a)(?<m>b)", "", ["*ab*"]),
        ("a[bc]d", "", ["*a*d*"]),
        ("a[[:alpha:]x]d", "", ["*a*d*"]),
        (r"a[\]x]d", "", ["*a*d*"]),
        (r"a\wb\bc", "", ["*a*b*c*"]),
        (r"a\.b\*c\?d\\e", "", [r"*a.b\*c\?d\\e*"]),
        ("a\tb", "", ["*a*b*"]),
        ("abc", "i", ["*abc*"]),
        ("skill", "i", ["*ill*"]),
        ("caf\u00e9 noir", "i", ["*caf* noir*"]),
        ("caf\u00e9", "", ["*caf\u00e9*"]),
        ("x" * 100, "", [f"*{'x' * MOST_LITERALS}*"]),
        ("|".join("abcdefghijklmnop"), "", [f"*{letter}*" for letter in "abcdefghijklmnop"]),
    ],
)
def test_patterns(source: str, flags: str, patterns: list[str]) -> None:
    """The literals in order, anything between them."""
    assert wildcards(source, flags) == patterns


@pytest.mark.parametrize(
    "source",
    [
        "", ".*", r"\d+", "a|", "|a", "(a|b)", "(?i)a", "(?i:a)", r"\Qa.b\E", r"\x61", r"\pL", r"\012", "a{,3}", "a]",
        "a|b)", "(a", "[a", "[]x]", "[^]x]", "*", "|".join(map(chr, range(97, 97 + MOST_ALTERNATIVES + 1))),
        "(" * (MOST_NESTED + 1) + "a" + ")" * (MOST_NESTED + 1),
    ],
)  # fmt: skip
def test_any_text(source: str) -> None:
    """What could be anything, what this reader does not know, or is too much."""
    assert wildcards(source, "") is None


ATOMS = st.sampled_from(
    ["a", "b", "K", ".", "\\.", "\\d", "[ab]", "[^a]", "(a|b)", "(ab)", "(?:b)", "(a)", "^", "$", "\\A", "\\z", "\\b",
     "|", "\u00e9", " ", "1", "(^a)", "(a$)", "(|a)"]
)  # fmt: skip
QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "+?", "*?", "{2}", "{0,2}", "{0}"])
SOURCES = st.lists(st.tuples(ATOMS, QUANTIFIERS).map("".join), max_size=6).map("".join)
TEXTS = st.text("abkK\u212a.1 \n\u00e9", max_size=8)


@given(SOURCES, st.sampled_from(["", "i", "m", "s", "y", "im"]), st.lists(TEXTS, min_size=5, max_size=20))
def test_it_finds_what_the_expression_finds(source: str, flags: str, texts: list[str]) -> None:
    """RE2 is the judge."""
    try:
        found = regexps.finder(regexps.pattern(source, flags, Location()), at_start="y" in flags)
    except InvalidFilter:
        return
    patterns = wildcards(source, flags)
    for text in texts:
        if found(text) and patterns is not None:
            assert any(like(pattern, text, ignore_case="i" in flags) for pattern in patterns)


def like(pattern: str, text: str, *, ignore_case: bool) -> bool:
    """As Elasticsearch's `wildcard`: ASCII letters alone have a case that can be ignored."""
    expression = re.sub(r"\\(.)", lambda escape: f"[{escape[1]}]", pattern).replace("[\\]", "\\")
    return bool(re.match(fnmatch.translate(expression), text, re.ASCII | (re.IGNORECASE if ignore_case else 0)))
