"""File names are safe wherever the file lands."""

import pytest

from actions.filenames import content_disposition, file_name
from services.measures import Target


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("Container-c1", "asset-Container-c1.csv"),
        ('a/b é"', "asset-a_b é_.csv"),
        ("..\\..\\x:y*?<>|", "asset-.._.._x_y_____.csv"),
        ("a\r\nb\x00\x7f", "asset-a__b__.csv"),
        ("gpj.‮cvs", "asset-gpj._cvs.csv"),
        ("x" * 500, f"asset-{'x' * 120}.csv"),
    ],
)
def test_what_a_file_name_may_not_hold_is_replaced(document: str, name: str) -> None:
    """Separators, reserved and control characters, right-to-left override, endless names."""
    assert file_name(Target("e", "assets", document)) == name


def test_a_device_is_called_a_device() -> None:
    """The kind, in the singular."""
    assert file_name(Target("e", "devices", "d1")) == "device-d1.csv"


def test_the_header_names_the_file_twice() -> None:
    """Plain for old clients, UTF-8 for the others."""
    assert content_disposition("asset-é 1.csv") == (
        "attachment; filename=\"asset-e 1.csv\"; filename*=UTF-8''asset-%C3%A9%201.csv"
    )
