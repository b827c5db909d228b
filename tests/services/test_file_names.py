"""File names are safe wherever the file lands."""

import unicodedata
from email.message import Message
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.file_names import content_disposition, file_name, plain
from services.measures import Target
from services.options import Options

#: A letter and a mark: two characters, three bytes.
ACUTE = "e\u0301"


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("Container-c1", "asset-Container-c1.csv"),
        ('a/b é"', "asset-a_b é_.csv"),
        ("..\\..\\x:y*?<>|", "asset-.._.._x_y_____.csv"),
        ("a\r\nb\x00\x7f\x85", "asset-a__b___.csv"),
        ("gpj.\u202ecvs", "asset-gpj._cvs.csv"),
        ("x" * 500, f"asset-{'x' * 120}.csv"),
        ("..／..／etc／passwd", "asset-.._.._etc_passwd.csv"),
        ("a＂b：c﹨d＼e＊f？g＜h＞i｜j", "asset-a_b_c_d_e_f_g_h_i_j.csv"),
        ("﹕︓⁇⁈⁉℀℅≮≯⩴", "asset-__________.csv"),
        ("⁄∕∖∶∗∣ʺ", "asset-_______.csv"),
        ("a\u2028b\u2029c\xa0d\u3000e\u200bf\ufeffg", "asset-a_b_c_d_e_f_g.csv"),
        ("\ue000\U000f0000\u0378\ud800", "asset-____.csv"),
        ("…․％；", "asset-…․％；.csv"),
        ("+%25&#;=,'", "asset-+%25&#;=,'.csv"),
        ("日" * 120, f"asset-{'日' * 49}.csv"),
        ("🙂" * 120, f"asset-{'🙂' * 37}.csv"),
        ("é" * 120, f"asset-{'é' * 64}.csv"),
        (ACUTE * 120, f"asset-{ACUTE * 56}.csv"),
        ("x" * 118 + ACUTE * 2, f"asset-{'x' * 118}{ACUTE}.csv"),
        ("x" * 119 + ACUTE * 2, f"asset-{'x' * 119}.csv"),
        ("x" * 60 + "\u0301" * 500, f"asset-{'x' * 59}.csv"),
        ("&" * 120, f"asset-{'&' * 112}.csv"),
        ("CON", "asset-CON.csv"),
        (".", "asset-..csv"),
        ("", "asset-.csv"),
    ],
)
def test_what_a_file_name_may_not_hold_is_replaced(document: str, name: str) -> None:
    """Separators, reserved and hidden characters, also those that become one; endless names."""
    assert file_name(Target("e", "assets", document), ".csv") == name


@pytest.mark.parametrize(
    ("options", "suffix", "name"),
    [
        ({"file_name": "June"}, ".csv", "June.csv"),
        ({"file_name": "June.csv"}, ".csv", "June.csv"),
        ({"file_name": "June.CSV"}, ".csv", "June.csv"),
        ({"file_name": "June.csv"}, ".csv.gz", "June.csv.gz"),
        ({"file_name": "June.csv.gz"}, ".csv.gz", "June.csv.gz"),
        ({"file_name": "June.gz"}, ".csv.gz", "June.csv.gz"),
        ({"file_name": "June.csv"}, ".zip", "June.csv.zip"),
        ({"file_name": "a/b\\c:d\n\u202e"}, ".csv", "a_b_c_d__.csv"),
        ({"file_name": "../../etc/passwd"}, ".csv", "_._.._etc_passwd.csv"),
        ({"file_name": ".htaccess"}, ".csv", "_htaccess.csv"),
        ({"file_name": "."}, ".csv", "_.csv"),
        ({"file_name": ".csv"}, ".csv", "_.csv"),
        ({"file_name": "  "}, ".csv", "_.csv"),
        ({"file_name": "con"}, ".csv", "_con.csv"),
        ({"file_name": "LPT1.June"}, ".csv", "_LPT1.June.csv"),
        ({"file_name": "été 2024"}, ".xlsx", "été 2024.xlsx"),
        ({"file_name": "x" * 500}, ".csv", f"{'x' * 120}.csv"),
        ({"format": "documents"}, ".ndjson", "e.measures.ndjson"),
        ({"format": "documents", "file_name": "all"}, ".ndjson.gz", "all.ndjson.gz"),
    ],
)
def test_names_that_callers_choose(options: dict[str, Any], suffix: str, name: str) -> None:
    """Plain files everywhere, with their ending once; documents are called as `flask load` wants them."""
    assert file_name(Target("e", "assets", "a"), suffix, Options(**options)) == name


def test_a_device_is_called_a_device() -> None:
    """The kind, in the singular."""
    assert file_name(Target("e", "devices", "d1"), ".csv") == "device-d1.csv"


def test_the_header_names_the_file_twice() -> None:
    """Plain for old clients, UTF-8 for the others."""
    assert content_disposition("asset-é 1.csv") == (
        "attachment; filename=\"asset-e 1.csv\"; filename*=UTF-8''asset-%C3%A9%201.csv"
    )


@pytest.mark.parametrize(
    ("name", "ascii"),
    [
        ("asset-é 1.csv", "asset-e 1.csv"),
        ("asset-日本.csv", "asset-.csv"),
        ("asset-…․.csv", "asset-.....csv"),
        ("asset-a%2Fb;c.csv", "asset-a_2Fb_c.csv"),
        ("asset-％；2F.csv", "asset-__2F.csv"),
        ("asset-⑽½.csv", "asset-(10)12.csv"),
        (f"asset-{'㏆' * 70}.csv", f"asset-{'Ckg' * 70}.csv"),
        (f"asset-{'🄑' * 30}.csv", f"asset-{'(B)' * 30}.csv"),
    ],
)
def test_the_plain_name(name: str, ascii: str) -> None:
    """Letters without their marks; what some clients decode, or stop at, is replaced."""
    assert plain(name) == ascii


#: Where names go wrong, beside any text.
LETTERS = st.sampled_from('/\\:*?"<>|%;. ／＼：＊？＂＜＞｜％；…․℀≮⩴﹨⁄∕\u202e\u2028\u0301\u0338\x00日é🙂aCON')


@given(st.text(max_size=300) | st.text(LETTERS, max_size=300), st.sampled_from(["assets", "devices"]))
@example("≮" * 120, "assets")
def test_no_id_makes_a_bad_name(document: str, kind: str) -> None:
    """Neither way, nor in any normal form; and both ways fit a file system."""
    name = file_name(Target("e", kind, document), ".csv")  # type: ignore[arg-type]
    header = content_disposition(name)
    header.encode("ascii")
    message = Message()
    message["Content-Disposition"] = header
    ascii, _, encoded = header.removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert (message.get_filename(), unquote(encoded)) == (ascii, name)
    for written in (name, ascii, *(unicodedata.normalize(form, name) for form in ("NFC", "NFKC", "NFD", "NFKD"))):
        assert written.startswith(f"{kind[:-1]}-")
        assert written.endswith(".csv")
        assert not set('/\\:*?"<>|\x00\r\n\u2028\u202e').intersection(written)
    assert not set("%;").intersection(ascii)
    assert (ascii.isprintable(), ascii.isascii()) == (True, True)
    assert (len(name.encode()) <= 160, len(ascii) <= 160, len(header) <= 511) == (True, True, True)
