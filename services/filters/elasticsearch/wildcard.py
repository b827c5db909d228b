r"""Wildcards of Elasticsearch that hold for every text in which a regular expression finds something.

`^dev-\d+$` must look like `dev-*`, `a|b` like `*a*` or `*b*`: the literals in order, anything
between them. Lucene's own `regexp` is another language, and refuses what takes it too many states
(`.*(a|b).{20}` does); the states of these patterns grow with their length only. Many texts look so
and do not match: an upper bound.
"""

import re
from collections.abc import Iterable, Sequence

#: Literals of a pattern that count: Lucene's effort may grow with their square.
MOST_LITERALS = 64

MOST_ALTERNATIVES = 16

MOST_NESTED = 20

#: Letters that are the lower or upper case of others than each other (Kelvin sign, long s).
FOLDED_TWICE = frozenset("kKsS")


class Unreadable(Exception):
    """An expression holds more than this reader knows."""


class Mark:
    """An element of a sequence that is no literal."""


GAP, START, END = Mark(), Mark(), Mark()

#: Literals and marks in order.
Sequent = list[str | Mark]

QUANTIFIER = re.compile(r"(?:([*?]|\{0+(?:,\d*)?\})|\+|\{\d+(?:,\d*)?\})\??")
CLASS = re.compile(r"\[\^?(?:\\.|\[:\^?\w+:\]|[^]\\])(?:\\.|\[:\^?\w+:\]|[^]\\])*\]|\\[dDwWsSbB]|\.", re.DOTALL)
GROUP = re.compile(r"\((?:\?:|\?P?<\w+>|(?!\?))")
LITERAL = re.compile(r"\\([^A-Za-z0-9])|([^][\\^$.|?*+(){}])", re.DOTALL)
ANCHORS = ((re.compile(r"\^|\\A"), START), (re.compile(r"\$|\\z"), END))


def wildcards(source: str, flags: str) -> Sequence[str] | None:
    """Return patterns of which a text in which the expression is found matches one; `None`: any text may."""
    try:
        sequences = PatternReader(source).whole()
    except Unreadable:
        return None
    patterns = {pattern(trimmed(sequence, flags)) for sequence in sequences}
    return None if "*" in patterns or len(patterns) > MOST_ALTERNATIVES else sorted(patterns)


class PatternReader:
    """Reads the alternatives of an expression that RE2 has accepted, each as a sequence."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0

    def whole(self) -> list[Sequent]:
        sequences = self.alternatives()
        if self._at < len(self._source):
            raise Unreadable
        return sequences

    def alternatives(self) -> list[Sequent]:
        sequences = [self.sequence()]
        while self.take("|"):
            sequences.append(self.sequence())
        return sequences

    def sequence(self) -> Sequent:
        pieces: Sequent = []
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            pieces += self.repeated(self.atom())
        return pieces

    def repeated(self, atom: Sequent) -> Sequent:
        quantifier = self.match(QUANTIFIER)
        if quantifier is None:
            return atom
        return [GAP] if quantifier[1] else [*atom, GAP]

    def atom(self) -> Sequent:
        for anchor, mark in ANCHORS:
            if self.match(anchor):
                return [mark]
        if self.match(CLASS):
            return [GAP]
        if self.match(GROUP):
            return self.group()
        literal = self.match(LITERAL)
        if literal is None:
            raise Unreadable
        return [literal[1] or literal[2]]

    def group(self) -> Sequent:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise Unreadable
        sequences = self.alternatives()
        if not self.take(")"):
            raise Unreadable
        self._depth -= 1
        return sequences[0] if len(sequences) == 1 else [GAP]

    def take(self, character: str) -> bool:
        found = self._source.startswith(character, self._at)
        self._at += found
        return found

    def match(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self._source, self._at)
        self._at = found.end() if found else self._at
        return found


def trimmed(sequence: Sequent, flags: str) -> Sequent:
    """Return a sequence without literals that stand for several texts, or are too many, and with gaps at open ends."""
    left = MOST_LITERALS
    pieces: Sequent = []
    for piece in sequence:
        literal = isinstance(piece, str) and left > 0 and plain(piece, ignore_case="i" in flags)
        left -= literal
        pieces.append(piece if literal or (isinstance(piece, Mark) and piece is not GAP) else GAP)
    anchored = "m" not in flags
    start = anchored and pieces[:1] == [START]
    end = anchored and pieces[-1:] == [END]
    return [*([] if start else [GAP]), *pieces[start : len(pieces) - end], *([] if end else [GAP])]


def plain(character: str, *, ignore_case: bool) -> bool:
    if character < " " or "\ud800" <= character <= "\udfff":
        return False
    return not ignore_case or (character.isascii() and character not in FOLDED_TWICE)


def pattern(pieces: Iterable[str | Mark]) -> str:
    text = "".join("\0" if isinstance(piece, Mark) else escaped(piece) for piece in pieces)
    return re.sub("\0+", "*", text)


def escaped(character: str) -> str:
    return f"\\{character}" if character in "*?\\" else character
