"""The corpus, decided by the evaluator."""

import json
from collections import Counter

import pytest

from services.errors import InvalidFilter
from services.filters.koncorde.parse import KEYWORDS, parse
from services.filters.koncorde.write import write
from services.filters.python.evaluator import compile
from tests.services.filters import corpus
from tests.services.filters.corpus import ACCEPTED, CASES, REFUSED, Case
from tests.services.filters.hostile import HOSTILE


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_matches(case: Case) -> None:
    """Exactly the documents that the corpus names."""
    holds = compile(parse(case.query))
    assert tuple(id for id, document in case.documents.items() if holds({**document, "_id": id})) == case.ids


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_is_written_and_read_again(case: Case) -> None:
    """As JSON, no deeper and no longer than a link can hold what a caller wrote."""
    node = parse(case.query)
    assert parse(json.loads(json.dumps(write(node), allow_nan=False))) == node


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_refuses(case: Case) -> None:
    """With the path of the mistake, in words that can be sent."""
    with pytest.raises(InvalidFilter) as caught:
        parse(case.query)
    assert caught.value.argument == case.error
    assert caught.value.message.encode().decode().endswith((".", "?"))


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_the_hostile(name: str) -> None:
    """None is a recursion error, and the answer is short."""
    query, path = HOSTILE[name]
    with pytest.raises(InvalidFilter) as caught:
        parse(query)
    assert caught.value.argument.startswith(path)
    assert len(caught.value.message) < 2_000


def test_corpus_is_whole() -> None:
    """Every keyword has its file, what it takes and what it refuses; every case has a name of its own."""
    assert {*KEYWORDS, "filter", "distance"} == {case.keyword for case in CASES}
    assert {*KEYWORDS, "filter", "distance"} == {case.keyword for case in ACCEPTED}
    assert {*KEYWORDS, "filter", "distance"} == {case.keyword for case in REFUSED}
    assert [name for name, count in Counter(case.id for case in CASES).items() if count > 1] == []
    assert len(CASES) > 700


def test_corpus_names_documents() -> None:
    """An id that its set does not have would be no expectation."""
    assert [case.id for case in ACCEPTED if not set(case.ids or ()) <= case.documents.keys()] == []
    assert corpus.COLLECTIONS.keys() >= corpus.NO_INDEX
