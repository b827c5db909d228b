"""The limits of a query, by which a node of 1 GB heap lives through as many as it searches at a time.

Elasticsearch's own limits are of one clause each, and some can be raised from within a query;
together a thousand clauses at their limits take many times its heap (tried on 8.19).
"""

from dataclasses import dataclass

from services.errors import InvalidFilter

#: Objects and arrays within each other; Elasticsearch takes 29 levels of `bool`, of 3 each.
MOST_NESTED = 120

MOST_CLAUSES = 1000

#: Terms, ids, points and numbers of vectors in all lists together, as in Koncorde's filters.
MOST_VALUES = 10_000

#: What automata may take together, in the measure of `max_determinized_states`. One that takes 10,000, Elasticsearch's
#: own limit of each, holds some 15 MB while it is searched by, and takes about a second.
MOST_EFFORT = 20_000

#: Elasticsearch's own limit of one, which a query may not raise; and the least that is of use.
MOST_STATES, LEAST_STATES = 10_000, 100

#: Terms that texts may be split into, in every field that they are looked for in: each is a clause to Elasticsearch,
#: which takes 16,384 on a small node.
MOST_TERMS = 20_000

#: Fields that `*` is counted as; Kuzzle's own mapping of measures has about 40.
FIELDS_OF_STAR = 100

#: Names of fields in a list.
MOST_FIELDS = 100

#: Clauses that become all the terms of an index that fit (16,384), with a reader of positions for each: 40 MB.
MOST_EXPANDED = 2

#: Characters of a text to look for, of a value, of the name of a field, of a pattern, and of the smaller options.
LONGEST_TEXT, LONGEST_VALUE, LONGEST_NAME, LONGEST_PATTERN, LONGEST_OPTION = 10_000, 10_000, 1000, 1000, 200

#: What Elasticsearch takes by default, and at most here: terms that a fuzzy one, or a prefix in a phrase, becomes.
MOST_EXPANSIONS = 50

#: Neighbours that a search in vectors looks at; Elasticsearch's own limit.
MOST_CANDIDATES = 10_000

#: Places between the words of a phrase.
MOST_SLOP = 10_000


@dataclass
class Allowance:
    """Counts what a query may still hold."""

    clauses: int = MOST_CLAUSES
    values: int = MOST_VALUES
    effort: int = MOST_EFFORT
    terms: int = MOST_TERMS
    expanded: int = MOST_EXPANDED

    def spend_clause(self, path: str) -> None:
        """Count one clause. Raises `InvalidFilter`, as do the others."""
        self.clauses -= 1
        if self.clauses < 0:
            raise InvalidFilter(path, None, f"the query has more than {MOST_CLAUSES} clauses.")

    def spend_values(self, count: int, path: str) -> None:
        self.values -= count
        if self.values < 0:
            raise InvalidFilter(path, None, f"the query has more than {MOST_VALUES:,} values in its lists.")

    def spend_effort(self, effort: int, path: str) -> None:
        self.effort -= effort
        if self.effort < 0:
            raise InvalidFilter(
                path,
                None,
                "is one large pattern too many: write fewer or shorter ones (wildcards, regular expressions, fuzzy "
                "terms), without ? after *, in fewer fields, or with a smaller max_determinized_states.",
            )

    def spend_terms(self, count: int, path: str) -> None:
        self.terms -= count
        if self.terms < 0:
            raise InvalidFilter(
                path, None, f"looks for more than {MOST_TERMS:,} words in all fields: name fewer fields, or write less."
            )

    def spend_expanded(self, path: str) -> None:
        self.expanded -= 1
        if self.expanded < 0:
            raise InvalidFilter(
                path, None, f"a query may have {MOST_EXPANDED} patterns in intervals and spans: use prefix or wildcard."
            )
