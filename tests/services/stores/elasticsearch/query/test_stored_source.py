"""What an index keeps of documents: which patterns may take away what is read."""

from typing import Any

import pytest

from services.stores.elasticsearch.query.stored_source import MODEL, ROW, SourcePart, StoredSource

JSON = dict[str, Any]


@pytest.mark.parametrize(
    ("pattern", "touches"),
    [
        ("values", True), ("values.*", True), ("values.t", True), ("values.a.b", True), ("v*", True), ("*", True),
        ("*.x", True), ("*.metadata", True), ("*a*", True), ("asset", True), ("asset.*", True), ("asset._id", True),
        ("*._id", True), ("or*.m*", True), ("origin.device*", True), ("type", True), ("measuredAt", True),
        ("_kuzzle_info", False), ("_kuzzle_info.*", False), ("asset.metadata", False), ("asset.groups.*", False),
        ("asset._id.x", False), ("origin.payloadUuids", False), ("o*.z", False), ("value", False), ("valuesx", False),
        ("types", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_taken_away(pattern: str, touches: bool) -> None:
    """What is above a path, it itself, and of `values` what is below."""
    assert (StoredSource({"_source": {"excludes": ["none", pattern]}}, {}).lacks(ROW) is not None) is touches


@pytest.mark.parametrize(
    ("patterns", "whole"),
    [
        (["*"], True), (["measuredAt", "type", "values", "asset", "origin"], True),
        (["m*", "t*", "val*", "asset.*", "origin.*"], True), (["*e*", "*s*", "*i*"], True),
        (["measuredAt", "type", "values.*", "asset._id", "asset.m*", "origin._id", "origin.*Model", "*Name"], True),
        (["measuredAt", "type", "values.t", "asset", "origin"], False), (["values"], False),
        (["measuredAt", "type", "values.*.x", "asset", "origin"], False),
        (["measured", "type", "v*", "a*", "o*"], False),
    ],
)  # fmt: skip
def test_what_is_kept(patterns: list[str], whole: bool) -> None:
    """All that is read, or it is named."""
    assert (StoredSource({"_source": {"includes": patterns}}, {}).lacks(ROW) is None) is whole


@pytest.mark.parametrize(
    ("source", "settings", "reason"),
    [
        (None, {}, None),
        ({}, {}, None),
        ({"enabled": True}, {"mapping": {"source": {"mode": "stored"}}}, None),
        ({"enabled": False}, {}, "keeps no documents"),
        ({"mode": "disabled"}, {}, "keeps no documents"),
        ({"mode": "synthetic"}, {}, "anew"),
        (None, {"mapping": {"source": {"mode": "synthetic"}}}, "anew"),
        (None, {"mapping": {"source": {"mode": "disabled"}}}, "keeps no documents"),
        (None, {"mode": "logsdb"}, "anew"),
        (None, {"mode": "time_series", "mapping": {"source": {"mode": "stored"}}}, None),
        (None, {"mode": "standard"}, None),
    ],
)
def test_how_documents_are_kept(source: JSON | None, settings: JSON, reason: str | None) -> None:
    """As they came, put together anew, or not at all; said in the mapping or in the settings."""
    kept = StoredSource({} if source is None else {"_source": source}, settings)
    assert kept.is_whole is (reason is None)
    told = kept.lacks(MODEL)
    assert told is None if reason is None else reason in (told or "")


def test_what_a_filter_reads() -> None:
    """A part of a document that no row is made of; whole, where objects may be there."""
    kept = StoredSource({"_source": {"excludes": ["asset.metadata.*", "*.serial"]}}, {})
    assert '"*.serial" of documents' in str(kept.lacks(ROW))
    assert kept.lacks([SourcePart("asset.metadata")]) is None
    assert '"asset.metadata" is read' in str(kept.lacks([SourcePart("asset.metadata", whole=True)]))
    assert '"asset.metadata.weight" is read' in str(kept.lacks([SourcePart("asset.metadata.weight")]))
    assert kept.lacks([SourcePart("origin.reference")]) is None
