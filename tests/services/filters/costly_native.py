"""Queries of Elasticsearch at the limits of what is let through, each the worst of its clause that we know."""

from collections.abc import Callable, Mapping
from typing import Any

JSON = dict[str, Any]

KEYWORD, TEXT, PLACE = "asset._id", "values.note", "values.position"

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def some(count: int, query: Callable[[int], JSON]) -> JSON:
    return {"bool": {"should": [query(number) for number in range(count)]}}


def two(number: int) -> str:
    """Two letters, others each time."""
    return f"{LETTERS[number % 62]}|{LETTERS[(number // 62 + 7 + number) % 62]}"


def regexp(value: str, **options: Any) -> JSON:
    return {"regexp": {KEYWORD: {"value": value, **options}}}


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(count))


def span(word: str) -> JSON:
    return {"span_term": {TEXT: word}}


#: Just within the limits.
COSTLY: Mapping[str, JSON] = {
    "a regular expression": regexp(".*(R|m).{12}"),
    "two regular expressions": some(2, lambda number: regexp(f".*({two(number)}).{{12}}")),
    "regular expressions that say what they take": some(
        2, lambda number: regexp(f".*({two(number)}).{{12}}", max_determinized_states=9_900)
    ),
    "many regular expressions": some(150, lambda number: regexp(f".*({two(number)}).{{3}}")),
    "parts that may be missing": regexp("(a?){300}"),
    "many parts": regexp("([a-z]|[0-9]{5}){300}"),
    "a class of letters": regexp("[éàüñ日本語а-я]{1,250}.*"),
    "an interval": regexp("<0-2147483647>.*"),
    "wildcards": some(2, lambda number: {"wildcard": {KEYWORD: f"*{LETTERS[number]}{'?' * 8}"}}),
    "a long wildcard": {"wildcard": {KEYWORD: "ab*" * 79}},
    "a prefix": some(6, lambda number: {"prefix": {KEYWORD: {"value": "a" * 999, "case_insensitive": True}}}),
    "fuzzy terms": some(20, lambda number: {"fuzzy": {KEYWORD: {"value": "ab" * 50, "fuzziness": 2}}}),
    "a long fuzzy term": {"fuzzy": {KEYWORD: {"value": "é" * 2000, "fuzziness": 2}}},
    "fuzzy words": {"match": {TEXT: {"query": "abcdefghi " * 190, "fuzziness": "AUTO"}}},
    "fuzzy words in all fields": {"multi_match": {"query": "abcd efgh ijkl 1", "fuzziness": 2}},
    "words": {"match": {TEXT: words(1700)}},
    "words in all fields": {"multi_match": {"query": words(190)}},
    "words in combined fields": {"combined_fields": {"query": words(190), "fields": ["values.x*"]}},
    "a phrase": {"match_phrase": {TEXT: {"query": words(1700), "slop": 10_000}}},
    "prefixes of phrases": some(
        200, lambda number: {"match_phrase_prefix": {TEXT: {"query": f"note {number % 10}", "slop": 100}}}
    ),
    "a query string": {"query_string": {"query": " OR ".join(f"w{number}" for number in range(99))}},
    "wildcards in a query string": {"query_string": {"query": "a*b OR c*d OR *e* OR f*"}},
    "a wildcard in a query string": {"query_string": {"query": "*a????????", "fields": [TEXT]}},
    "parentheses in a query string": {"query_string": {"query": "(" * 20 + "a" + ")" * 20}},
    "many parentheses in a query string": {"query_string": {"query": "((a) OR " * 19 + "b" + ")" * 19}},
    "signs in a query string": {"query_string": {"query": "+-!" * 30 + "a", "fields": [TEXT]}},
    "a simple query string": {"simple_query_string": {"query": "w1* | w2* | abc~2 | " * 2}},
    "parentheses in a simple query string": {"simple_query_string": {"query": "(" * 20 + "a" + ")" * 20}},
    "prefixes in intervals": {
        "intervals": {TEXT: {"all_of": {"intervals": [{"prefix": {"prefix": "n"}}, {"prefix": {"prefix": "a"}}]}}}
    },
    "expanding intervals": some(2, lambda number: {"intervals": {f"values.x{number}": {"prefix": {"prefix": "w"}}}}),
    "alternatives in intervals": {
        "intervals": {
            TEXT: {
                "all_of": {
                    "ordered": True,
                    "intervals": [
                        {"any_of": {"intervals": [{"match": {"query": "note"}}, {"match": {"query": "note abc"}}]}}
                        for _ in range(300)
                    ],
                }
            }
        }
    },
    "expanding spans": some(2, lambda number: {"span_multi": {"match": {"prefix": {f"values.x{number}": "w1"}}}}),
    "spans": {
        "span_near": {"clauses": [{"span_or": {"clauses": [span("note"), span("abc")]}}] * 330, "slop": 10_000}
    },
    "terms": {"terms": {KEYWORD: [f"t{number}" for number in range(10_000)]}},
    "ids": {"ids": {"values": [f"t{number}" for number in range(10_000)]}},
    "a polygon": {
        "geo_polygon": {PLACE: {"points": [[number / 100 - 90, (number % 7) * 10] for number in range(10_000)]}}
    },
    "a shape": {
        "geo_shape": {
            PLACE: {
                "shape": {
                    "type": "multipoint",
                    "coordinates": [[number / 100 - 40, number % 70] for number in range(4_900)],
                }
            }
        }
    },
    "documents alike": {
        "more_like_this": {
            "fields": [TEXT], "like": [words(1700)], "min_term_freq": 1, "min_doc_freq": 1, "max_query_terms": 1000,
        }
    },
    "clauses": some(999, lambda number: {"term": {KEYWORD: f"t{number}"}}),
    "prefixes of a letter": some(999, lambda number: {"prefix": {KEYWORD: LETTERS[number % 62]}}),
    "ranges": some(999, lambda number: {"range": {"measuredAt": {"gte": f"now-{number}m/m"}}}),
    "levels": {"bool": {"filter": [{"bool": {"should": [{"bool": {"must": [{"match_all": {}}]}}]}}]}},
}  # fmt: skip
