"""The arguments of rows that are joined of measures: what goes together, and that a link keeps it."""

from typing import Any

import pytest

from schemas import exports
from services.errors import InvalidArgument
from services.measures import ExportRequest


def of(**arguments: Any) -> ExportRequest:
    root = {"engineId": "engine", "_id": "Container-c1"}
    return exports.of_call(
        root, arguments, kind="assets", lang="koncorde", export_id="x1", asked_by="me", guard=True
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        {"layout": "wide"},
        {"interval": "15m"},
        {"interval": "1d", "layout": "wide", "aggregate": "min,max", "timezone": "Europe/Berlin"},
        {"interval": "1h", "fill": "previous", "sort": "measuredAt", "aggregate": ["last"]},
    ],
)
def test_a_link_keeps_them(arguments: dict[str, Any]) -> None:
    """Read from the token, the request is the same, and its rows are joined."""
    request = of(**arguments)
    assert request.options.layout == "wide"
    assert exports.of_token(exports.to_token(request)) == request


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"aggregate": "min"}, "aggregate"),
        ({"fill": "previous"}, "fill"),
        ({"interval": "1h", "aggregate": "min,min"}, "aggregate"),
        ({"interval": "1h", "aggregate": []}, "aggregate"),
        ({"interval": "1h", "aggregate": "median"}, "aggregate"),
        ({"interval": "1h", "layout": "long"}, "interval"),
        ({"interval": "60m"}, "interval"),
        ({"interval": "1h", "fill": "previous"}, "fill"),
        ({"layout": "wide", "sort": "type"}, "sort"),
        ({"interval": "1h", "sort": ["measuredAt", "type"]}, "sort"),
        ({"layout": "wide", "format": "documents"}, "layout"),
        ({"interval": "1h", "format": "documents"}, "interval"),
    ],
)
def test_what_does_not_go_together(arguments: dict[str, Any], wrong: str) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidArgument) as caught:
        of(**arguments)
    assert caught.value.argument == wrong
