"""docs/filters.md tells the truth: its examples are run."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas import native_query
from services.errors import InvalidFilter
from services.filters.koncorde.location import DEEPEST, MOST_CLAUSES, MOST_NAMES, MOST_VALUES
from services.filters.koncorde.parse import KEYWORDS, parse
from services.filters.koncorde.regexps import LONGEST
from services.filters.python.evaluator import compile
from services.filters.sqlite import register, translate

TEXT = (Path(__file__).parents[3] / "docs" / "filters.md").read_text(encoding="utf-8")
KONCORDE, ELASTICSEARCH = TEXT.split("## Elasticsearch's own queries")

#: A filter, and the sentence below it: documents that match, documents that do not.
EXAMPLE = re.compile(r"^```json\n(.*?)^```\n\n(?:Matches (.*?);\s)?[nN]ot (.*?)\.\n", re.DOTALL | re.MULTILINE)
FILTERS = re.compile(r"^```json\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    query: Any
    matching: list[Any]
    others: list[Any]


def documents(sentence: str | None) -> list[Any]:
    return [json.loads(document) for document in re.findall(r"`(.*?)`", sentence or "", re.DOTALL)]


def examples() -> Iterator[Example]:
    for query, matching, others in EXAMPLE.findall(KONCORDE):
        yield Example(json.loads(query), documents(matching), documents(others))


EXAMPLES = list(examples())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: json.dumps(example.query))
def test_examples(example: Example) -> None:
    """Documents match as the text says."""
    matches = compile(parse(example.query))
    assert [document for document in example.matching if not matches(document)] == []
    assert [document for document in example.others if matches(document)] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: json.dumps(example.query))
def test_examples_on_sqlite(example: Example) -> None:
    """The same in the embedded store."""
    clause = translate(parse(example.query))
    with closing(sqlite3.connect(":memory:")) as connection:
        register(connection)
        pairs = [(document, 1) for document in example.matching] + [(document, 0) for document in example.others]
        for document, matches in pairs:
            row = connection.execute(
                f"SELECT {clause.sql} FROM (SELECT ? AS id, ? AS doc)",
                (*clause.parameters, document.get("_id", ""), json.dumps(document, ensure_ascii=False)),
            )
            assert row.fetchone() == (matches,)


def test_no_example_is_left_out() -> None:
    """The reading of the text has not gone blind, and every keyword has an example."""
    assert len(EXAMPLES) == len(FILTERS.findall(KONCORDE))
    assert all(example.others for example in EXAMPLES)
    named = {name for example in EXAMPLES for name in KEYWORDS if f'"{name}":' in json.dumps(example.query)}
    assert named == set(KEYWORDS)


def test_elasticsearch_examples() -> None:
    """The first is taken, the others are refused with their path."""
    taken, *refused = (json.loads(query) for query in FILTERS.findall(ELASTICSEARCH))
    native_query.check(taken)
    paths = []
    for query in refused:
        with pytest.raises(InvalidFilter) as caught:
            native_query.check(query)
        paths.append(caught.value.argument)
    assert paths == ["query.script", "query.terms.origin._id", "query.has_child"]


@pytest.mark.parametrize("limit", [DEEPEST, MOST_CLAUSES, MOST_VALUES, LONGEST, MOST_NAMES])
def test_limits_are_told(limit: int) -> None:
    assert re.search(rf"\b{limit:,}\b", TEXT.split("## Limits")[1])
