"""The document at `/_openapi` tells the truth: requests of its making, wrong ones too, are answered as it says."""

import json
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.config import SchemathesisConfig

from actions import paths
from routes.openapi import document
from services.formats import file_type
from services.options import FORMATS, Options
from tests.e2e.conftest import Served
from tests.support import kuzzle, mutation

#: The same requests each time. What can be asked for is less than JSON Schema tells, so that a 400 is no fault.
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "generation": {"deterministic": True, "max-examples": 25},
        "checks": {
            "positive_data_acceptance": {"enabled": False},
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
        },
    }
)

#: Whose measures most requests ask for: chance would find no engine.
REAL = {"engineId": kuzzle.REAL_ENGINE, "kind": "assets", "_id": "Container-c1"}

#: Where links are prepared, and where each leads.
LINKS = {
    document.template(prepare): document.template(download)
    for prepare, download in ((paths.EXPORT, paths.DOWNLOAD), (paths.FLEET_EXPORT, paths.FLEET_DOWNLOAD))
}
PREPARE = document.template(paths.EXPORT)

#: Every kind of file that there is.
FILES = [*(Options(format=each) for each in FORMATS), Options(header=False), Options(format="jsonl", compress="gzip")]

CONFORM = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]

api = schemathesis.openapi.from_dict(document.document(), config=CONFIG)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: Any) -> None:
    """Let more requests that are right lead to a file: of an asset that there is, without fields that there are not."""
    if case.meta is None or case.meta.generation.mode.is_negative or case.method != "POST":
        return
    places = [case.query, case.body, case.body.get("body")] if isinstance(case.body, dict) else [case.query]
    places = [place for place in places if isinstance(place, dict)]
    for outer, inner in pairwise(places):
        for name in outer.keys() & inner.keys():
            del inner[name]
    for name, place in product(("sort", "fields"), places):
        place.pop(name, None)
    if case.path in LINKS:
        case.path_parameters.update({name: REAL[name] for name in case.path_parameters if name in REAL})
    for place in places:
        place.update({name: value for name, value in REAL.items() if name in place})


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as kept:
        yield kept


@api.parametrize()
def test_every_answer_is_as_described(embedded: Served, session: requests.Session, case: Any) -> None:
    """No 500 among them. A link is followed."""
    answer = case.call_and_validate(base_url=embedded.service.url, session=session)
    if case.path in LINKS and (case.method, answer.status_code) == ("POST", 200):
        follow(answer, session, LINKS[case.path])


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(request=mutation.requests())
def test_requests_that_are_nearly_right(embedded: Served, session: requests.Session, request: dict[str, Any]) -> None:
    """Of filters, sorts, dates and options that mean something, with something changed: described, too."""
    answer = session.post(embedded.prepare_url(REAL["_id"]), data=json.dumps(request), timeout=30)
    check(PREPARE, "POST", answer)
    follow(answer, session)


def check(path: str, verb: str, answer: requests.Response) -> None:
    """Status, headers and body are as the document has them for an operation."""
    parts = zip(path.split("/"), urlsplit(answer.url).path.split("/"), strict=True)
    within = {name.strip("{}"): unquote(part) for name, part in parts if name.startswith("{")}
    api[path][verb].Case(path_parameters=within).validate_response(answer, checks=CONFORM)


def follow(answer: Any, session: requests.Session, path: str = LINKS[PREPARE]) -> requests.Response | None:
    """What the link of an envelope leads to, which is as described at a path; `None`: it has none."""
    link = (answer.json()["result"] or {}).get("link")
    if link is None:
        return None
    download = session.get(link, timeout=30)
    check(path, "GET", download)
    return download


@pytest.mark.parametrize("options", FILES, ids=lambda options: file_type(options).suffix)
def test_every_kind_of_file(served: Served, session: requests.Session, options: Options) -> None:
    answer = follow(served.prepare(json=options.given() | {"size": 3}), session)
    assert answer is not None
    assert answer.headers["Content-Type"] == file_type(options).media_type
