"""The cost of patterns to Elasticsearch: regular expressions, wildcards, fuzzy terms, and the texts that hold them.

Lucene makes an automaton of each, in memory, when it reads the query. It limits the states of one,
and does so while it makes them: what repeats what may be missing, as `(a?){3000}`, has millions of
transitions before (900 MB).
"""

import re
from dataclasses import dataclass

#: Of a regular expression once its repetitions are written out: parts, and parts that may be missing.
MOST_PARTS, MOST_OPTIONAL = 2000, 300

#: Parentheses within each other.
MOST_NESTED = 20

REPEATED = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
CLASS = re.compile(r"\[(?:\\.|[^]\\])+\]", re.DOTALL)
STRING = re.compile(r'"[^"]*"')
INTERVAL = re.compile(r"<[0-9A-Za-z_-]*>")

#: Words as analysers find them, one at least for every letter of other scripts.
WORDS = re.compile(r"[A-Za-z0-9_]+|[^\x00-\x7f]")

#: What a word of `query_string` is made of, and what else it may hold outside of words.
WORD = re.compile(r'(?:\\.|[^\s()\[\]{}"/\\:~^])+', re.DOTALL)
QUOTED = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
RANGE = re.compile(r'[\[{] *([^\s"\[\]{}\\/]+|"[^"\\/\]}]*") +TO +([^\s"\[\]{}\\/]+|"[^"\\/\]}]*") *[\]}]')

#: `now`, with what date math adds.
NOW = re.compile(r"now((?:[-+][0-9]{0,9}[yMwdhHms]|/[yMwdhHms])*)")


class Costly(Exception):
    """A pattern costs too much; the message is the rest of a sentence."""


@dataclass
class Size:
    """The size of a pattern. `parts`: once repetitions are written out. `optional`: those that may
    be missing, or be anything.
    """

    parts: int
    optional: int

    def repeated(self, least: int, most: int) -> "Size":
        times = max(most, 1)
        return checked(Size(self.parts * times, self.optional * times + most - least))


class LuceneRegexp:
    """Reads Lucene's regular expressions, to tell their size. `intersects`: whether `&` is an operator."""

    def __init__(self, source: str, *, intersects: bool) -> None:
        self._source = source
        self._intersects = intersects
        self._at = 0
        self._depth = 0

    def size(self) -> Size:
        """Return the size. Raises `Costly`."""
        found = self._union()
        if self._at < len(self._source):
            raise Costly("has a parenthesis too many.")
        return found

    def _union(self) -> Size:
        total = self._sequence()
        while self._take("|"):
            other = self._sequence()
            total = checked(Size(total.parts + other.parts, total.optional + other.optional))
        return total

    def _sequence(self) -> Size:
        total, began = Size(0, 0), self._at
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            if self._intersects and self._source[self._at] == "&":
                raise Costly("intersects by &, whose automata multiply: write several regexp in bool.must instead.")
            part = self._repeated(self._atom())
            total = checked(Size(total.parts + part.parts, total.optional + part.optional))
        return total if self._at > began else NOTHING

    def _repeated(self, atom: Size) -> Size:
        while self._at < len(self._source):
            if self._source[self._at] in "?*":
                self._at += 1
                atom = atom.repeated(0, 1)
            elif self._take("+"):
                atom = atom.repeated(1, 2)
            elif self._source[self._at] == "{":
                atom = atom.repeated(*self._times())
            else:
                break
        return atom

    def _times(self) -> tuple[int, int]:
        found = REPEATED.match(self._source, self._at)
        if found is None:
            raise Costly(r"holds a brace that is no repetition such as {3} or {3,5}: write \{ for the sign.")
        self._at = found.end()
        return bounds(found)

    def _atom(self) -> Size:
        for literal in (CLASS, STRING, INTERVAL):
            found = literal.match(self._source, self._at)
            if found is not None:
                self._at = found.end()
                return NOTHING if found[0] == '""' else Size(1 if literal is CLASS else len(found[0]), 0)
        if self._take("("):
            return self._group()
        if self._take("@") or self._take("~"):
            return NOTHING
        self._at += 2 if self._source[self._at] == "\\" else 1
        return Size(1, 0)

    def _group(self) -> Size:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise Costly(f"has more than {MOST_NESTED} parentheses within each other.")
        found = self._union()
        if not self._take(")"):
            raise Costly("lacks a parenthesis.")
        self._depth -= 1
        return found

    def _take(self, character: str) -> bool:
        found = self._source.startswith(character, self._at)
        self._at += found
        return found


#: What may be the empty text: nothing at all, or anything (`@`, a complement).
NOTHING = Size(1, 1)


def bounds(times: re.Match[str]) -> tuple[int, int]:
    """Return the bounds of `{3}`, `{3,}`, `{3,5}`. Raises `Costly`."""
    least = int(times[1])
    most = least if not times[2] else int(times[3]) if times[3] else least + 1
    if most < least:
        raise Costly(f"repeats from {least} to {most} times.")
    return least, most


def checked(size: Size) -> Size:
    """Return a size. Raises `Costly` for one that is too large."""
    if size.parts > MOST_PARTS:
        raise Costly(f"has more than {MOST_PARTS:,} parts once its repetitions are written out.")
    if size.optional > MOST_OPTIONAL:
        raise Costly(f"has more than {MOST_OPTIONAL} parts that may be missing, repetitions written out.")
    return size


def effort_of_wildcard(pattern: str, most: int) -> int:
    """Return what a wildcard's automaton takes at most. One `?` after a `*` doubles it."""
    rest = pattern.partition("*")[2]
    return min(most, 3 * len(pattern) * (pattern.count("*") + 1) * (1 << min(rest.count("?"), 14)))


def effort_of_fuzzy(length: int) -> int:
    return 10 * length


def words(text: str) -> int:
    return len(WORDS.findall(text)) + 1


def moves(text: str) -> bool:
    """Return whether a word is date math on `now`, which is another instant each time it is asked."""
    found = NOW.fullmatch(text)
    return found is not None and found[1] != ""


def effort_of_query_string(text: str, most: int) -> int:
    """Return what all words take, in one field. Raises `Costly` for what the text may not hold."""
    effort, depth, at = 0, 0, 0
    while at < len(text):
        found = QUOTED.match(text, at) or RANGE.match(text, at) or WORD.match(text, at)
        if found is None:
            depth += opened(text[at])
            at += 1
        else:
            at = found.end()
            effort += effort_of_part(found, text[at : at + 1], most)
        if depth > MOST_NESTED:
            raise Costly(f"has more than {MOST_NESTED} parentheses within each other.")
    return effort


def opened(character: str) -> int:
    """Return what is within brackets. Raises `Costly`."""
    if character == "/":
        raise Costly(r"holds a regular expression, or a slash: use the clause regexp, or write \/ for a slash.")
    if character in "[]{}":
        raise Costly(r"holds a bracket that is no [from TO to]: use the clause range, or write \[ for a bracket.")
    if character in '"\\':
        raise Costly("ends in a text that is quoted, or in a backslash.")
    return (character == "(") - (character == ")")


def effort_of_part(found: re.Match[str], after: str, most: int) -> int:
    """Return what a part takes. Raises `Costly` where it names `now`."""
    if found.re is RANGE:
        if any(NOW.match(bound) for bound in found.groups()):
            raise Costly("names now in a range: use the clause range, where it is the instant of the request.")
        return 0
    if found.re is QUOTED:
        return 0
    word = found[0]
    if NOW.match(word.lstrip("<>=")) and (word[0] in "<>" or moves(word.replace("\\", ""))):
        raise Costly("names now: use the clause range, where it is the instant of the request.")
    wild = effort_of_wildcard(word, most) if "*" in word or "?" in word else 0
    return wild + (effort_of_fuzzy(len(word)) if after == "~" else 0)
