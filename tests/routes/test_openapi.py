"""The document: valid OpenAPI, of every route and of nothing else, and as strict as what reads requests."""

import json
import re
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from actions.catalogue import ROUTES
from routes.openapi import arguments, document
from routes.openapi.operations import OPERATIONS
from schemas import exports, tokens
from schemas.fields import Field
from services.errors import BadRequest, NotFound, RequestTooLarge, ServiceError, StoreUnavailable, UnknownEngine
from services.version import VERSION
from tests.fakes import FakeStore
from tests.support import mutation

DOCUMENT = document.document()

#: Verbs that Flask adds by itself.
ADDED = {"HEAD", "OPTIONS"}

#: What fields name in their schemas and examples.
KNOWN = st.sampled_from(
    ["csv", "gzip", "excel", ";", "tab", ".", "crlf", "iso", "koncorde", "assets", "Europe/Paris", "true", "7",
     True, 0, ["a", "b"], "a,b", {"a": "b"}, {"a": {"order": "desc"}}]
)  # fmt: skip

FIELDS = exports.FIELDS | tokens.ARGUMENTS


def test_is_valid() -> None:
    """By the specification's own schema, references and examples included."""
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []
    assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.0", VERSION)


def test_has_every_route_and_no_other(client: FlaskClient) -> None:
    """Whatever their parameters are called."""
    rules = client.application.url_map.iter_rules()
    served = {(verb, re.sub(r"<[^>]+>", "{}", rule.rule)) for rule in rules for verb in (rule.methods or set()) - ADDED}
    told = {
        (verb.upper(), re.sub(r"{[^}]+}", "{}", path))
        for path, item in DOCUMENT["paths"].items()
        for verb in item.keys() - {"parameters"}
    }
    assert told == served


def test_has_every_action() -> None:
    """Of the catalogue, once: as a message, too."""
    told = [action for operation in OPERATIONS for action in arguments.actions(operation)]
    assert sorted(told) == sorted((controller, action) for controller, routed in ROUTES.items() for action in routed)


def test_tells_each_argument() -> None:
    """In words; and what it begins with where it is absent, if that is a text or a boolean."""
    names = {name: field.description for operation in OPERATIONS for name, field in (operation.arguments or {}).items()}
    assert names.keys() >= exports.ARGUMENTS.keys()
    assert [name for name, told in names.items() if not told] == []
    told = DOCUMENT["components"]["schemas"]["prepareMeasuresArguments"]["properties"]
    assert (told["format"]["default"], told["bom"]["default"]) == ("csv", False)
    assert told["decimal"]["description"].endswith("Of use to `format` csv, zip alone.")


@pytest.mark.parametrize("name", FIELDS)
def test_examples_are_read(name: str) -> None:
    """And are what the schema allows."""
    for example in FIELDS[name].examples:
        jsonschema.validate(example, FIELDS[name].json_schema())
        FIELDS[name].read(name, example)


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(sorted(FIELDS)), value=mutation.anything | mutation.sorts | mutation.instants | KNOWN)
def test_what_is_read_is_allowed(name: str, value: Any) -> None:
    """Whatever a field takes, its schema has."""
    if reads(FIELDS[name], name, value):
        jsonschema.Draft202012Validator(FIELDS[name].json_schema()).validate(value)


def reads(field: Field, name: str, value: Any) -> bool:
    try:
        field.read(name, value)
    except (BadRequest, RequestTooLarge):
        return False
    return True


@pytest.mark.parametrize("lost", [UnknownEngine("e"), NotFound("a", "e", "assets"), StoreUnavailable("It is gone.")])
def test_what_a_store_refuses(client: FlaskClient, store: FakeStore, link: str, lost: ServiceError) -> None:
    """Is described, at the prepare, in a message and at the download."""
    store.lost = lost
    message = {"controller": "device-manager/assets", "action": "exportMeasures", "engineId": "e", "_id": "a"}
    answers = {
        "prepareMeasures": client.post("/_/device-manager/e/assets/a/measures/_export"),
        "query": client.post("/_query", json=message),
        "downloadMeasures": client.get(link),
    }
    for id, answer in answers.items():
        assert answer.status_code == lost.status
        check(id, answer.status_code, answer.get_json())


def test_http_1_0(client: FlaskClient, link: str) -> None:
    answer = client.get(link, environ_overrides={"SERVER_PROTOCOL": "HTTP/1.0"})
    assert answer.status_code == 505
    check("downloadMeasures", 505, answer.get_json())


def check(id: str, status: int, body: Any) -> None:
    """A body is what the document has for a status of an operation."""
    (operation,) = (
        found
        for item in DOCUMENT["paths"].values()
        for found in item.values()
        if isinstance(found, dict) and found["operationId"] == id
    )
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    jsonschema.validate(body, schema | {"components": DOCUMENT["components"]})


def test_is_served(client: FlaskClient) -> None:
    """As it is, to pages of other origins, too; and once to a client that keeps it."""
    answer = client.get("/_openapi", headers={"Origin": "https://app.example"})
    assert (answer.mimetype, json.loads(answer.data)) == ("application/json", DOCUMENT)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = client.get("/_openapi", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
