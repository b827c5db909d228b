"""The file of keys: which keys open what, when it is read again, how one is added."""

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.access.keys import ApiKey, KeyFile, KeysUnreadable, add, read_keys
from services.access.rights import Right
from services.errors import AccessUnavailable, TokenInvalid
from services.measures import Kind
from tests.services.access.conftest import ASSET, DEVICE, ELSEWHERE, NOW, MakeAccess, WriteKeys, key_entry
from tests.support.service import ROOT

BOTH: frozenset[Kind] = frozenset(("assets", "devices"))
ASSETS: frozenset[Kind] = frozenset(("assets",))


#: Of which no engine can have the name.
ODD_ENGINES = [
    "",
    " ",
    "demo,other",
    "ba*",
    "**",
    "Demo",
    "a/b",
    ".",
    "..",
    "a.b",
    "a b",
    "demo ",
    "_all?",
    "&demo",
    "a" * 127,
]


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize(
    ("others", "key"),
    [
        ({}, ApiKey("ci", sha256("k"), frozenset({"demo"}), BOTH, None)),
        ({"engines": ["*"]}, ApiKey("ci", sha256("k"), frozenset({"*"}), BOTH, None)),
        ({"engines": "*"}, ApiKey("ci", sha256("k"), frozenset({"*"}), BOTH, None)),
        ({"engines": []}, ApiKey("ci", sha256("k"), frozenset(), BOTH, None)),
        ({"kinds": ["assets"]}, ApiKey("ci", sha256("k"), frozenset({"demo"}), ASSETS, None)),
        ({"expiresAt": None}, ApiKey("ci", sha256("k"), frozenset({"demo"}), BOTH, None)),
        ({"expiresAt": 5}, ApiKey("ci", sha256("k"), frozenset({"demo"}), BOTH, 5)),
        ({"expiresAt": "1970-01-02"}, ApiKey("ci", sha256("k"), frozenset({"demo"}), BOTH, 86_400_000)),
        ({"sha256": sha256("k").hex().upper()}, ApiKey("ci", sha256("k"), frozenset({"demo"}), BOTH, None)),
    ],
)
def test_an_entry(write_keys: WriteKeys, keys_file: Path, others: dict[str, Any], key: ApiKey) -> None:
    """As it is read."""
    write_keys(key_entry("k") | others)
    assert read_keys(keys_file) == (key,)


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"expiresat": "2024-01-01"}, "expiresat"),
        ({"expiresAt": "soon"}, "soon"),
        ({"expiresAt": "1718000000000"}, "bare number"),
        ({"expiresAt": True}, "expiresAt"),
        ({"expiresAt": 1.5}, "expiresAt"),
        ({"sha256": "k"}, "non-hexadecimal"),
        ({"sha256": "00" * 31}, "64 hexadecimal digits"),
        ({"sha256": None}, "sha256"),
        ({"engines": "demo"}, "a list of ids"),
        ({"engines": [1]}, "engines"),
        *(({"engines": ["demo", odd]}, re.escape(f'not "{odd}"')) for odd in ODD_ENGINES),
        ({"kinds": ["cats"]}, "cats"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 5}, "name"),
    ],
)
def test_an_entry_that_is_wrong(write_keys: WriteKeys, keys_file: Path, others: dict[str, Any], reason: str) -> None:
    """Makes the whole file wrong: a mistake must not widen a right, nor end one in silence."""
    write_keys(key_entry("other", name="other"), key_entry("k") | others)
    with pytest.raises(KeysUnreadable, match=reason):
        read_keys(keys_file)


@pytest.mark.parametrize("text", ["", "{}", "null", "[", '[{"name": "ci"}]', '["k"]', "\ufeff[]"])
def test_a_file_that_is_wrong(keys_file: Path, text: str) -> None:
    """No list of keys."""
    keys_file.write_text(text, encoding="utf-8")
    with pytest.raises(KeysUnreadable, match=r"^is wrong: "):
        read_keys(keys_file)


def test_two_keys_with_one_hash(write_keys: WriteKeys, keys_file: Path) -> None:
    """Which one's rights would count?"""
    write_keys(key_entry("k"), key_entry("k", name="again", engines=["*"]))
    with pytest.raises(KeysUnreadable, match="same sha256"):
        read_keys(keys_file)


@pytest.mark.parametrize(
    ("engines", "opened"),
    [(["demo"], [True, True, False]), (["*"], [True, True, True]), (["x", "other"], [False, False, True])],
)
def test_what_a_key_opens(write_keys: WriteKeys, keys_file: Path, engines: list[str], opened: list[bool]) -> None:
    """Engines by name, or every one."""
    write_keys(key_entry("k", engines=engines))
    (key,) = read_keys(keys_file)
    assert [key.opens(target) for target in (ASSET, DEVICE, ELSEWHERE)] == opened


def test_an_engine_named_by_a_star_is_not_every_engine(write_keys: WriteKeys, keys_file: Path) -> None:
    """A caller who asks for the engine `*` needs the right to it."""
    write_keys(key_entry("k"))
    (key,) = read_keys(keys_file)
    assert not key.opens(Right("*", "assets", "a"))


def test_a_key_is_found_by_its_whole_text(write_keys: WriteKeys, keys_file: Path) -> None:
    """Not by its hash, nor by a part."""
    write_keys(key_entry("kapikey-one", name="one"), key_entry("kapikey-two", name="two"))
    keys = KeyFile(str(keys_file))
    found = [keys.find(token) for token in ("kapikey-two", "kapikey-one", "one", sha256("kapikey-one").hex())]
    assert [key and key.name for key in found] == ["two", "one", None, None]


def test_a_key_lasts_until_it_expires(write_keys: WriteKeys, make_access: MakeAccess) -> None:
    """To the millisecond."""
    write_keys(key_entry("k", expiresAt=NOW * 1000))
    assert make_access("api-keys", clock=lambda: NOW - 0.001).admit("k", ASSET) == "key:ci"
    with pytest.raises(TokenInvalid, match="this key has expired"):
        make_access("api-keys", clock=lambda: NOW).admit("k", ASSET)


def test_changes_count_at_once(write_keys: WriteKeys, keys_file: Path) -> None:
    """A key added, changed in place, revoked, the file replaced."""
    keys = KeyFile(str(keys_file))
    write_keys()
    assert keys.find("k") is None
    write_keys(key_entry("k"))
    assert keys.find("k") is not None
    write_keys()
    assert keys.find("k") is None
    add(keys_file, "new", engines=["demo"], kinds=[], expires_ms=None)
    write_keys(key_entry("k"))
    assert keys.find("k") is not None


def test_a_file_that_goes_wrong_lets_nobody_in(write_keys: WriteKeys, keys_file: Path) -> None:
    """Not even by the keys last read, until it is right again."""
    keys = KeyFile(str(keys_file))
    write_keys(key_entry("k"))
    assert keys.find("k") is not None
    keys_file.write_text("[")
    with pytest.raises(AccessUnavailable, match="cannot be read"):
        keys.find("k")
    keys_file.unlink()
    with pytest.raises(AccessUnavailable, match="cannot be read"):
        keys.find("k")
    write_keys(key_entry("k"))
    assert keys.find("k") is not None


def test_add_makes_a_file_that_only_its_owner_reads(keys_file: Path) -> None:
    """And keeps no key in it."""
    key = add(keys_file, "ci", engines=["demo", "e-2"], kinds=["assets"], expires_ms=NOW * 1000)
    assert key.startswith("kapikey-e30.e30.")
    assert len(key) == len("kapikey-e30.e30.") + 43
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    assert json.loads(keys_file.read_text()) == [
        {
            "name": "ci",
            "sha256": sha256(key).hex(),
            "engines": ["demo", "e-2"],
            "kinds": ["assets"],
            "expiresAt": "2024-06-10T06:13:20.000Z",
        }
    ]


@pytest.mark.parametrize("engine", ODD_ENGINES)
def test_add_refuses_what_opens_nothing(keys_file: Path, engine: str) -> None:
    """A key for it would never be of use, and look as if it were for several."""
    with pytest.raises(ValueError, match='must each be the id of one engine, or "\\*"'):
        add(keys_file, "ci", engines=["demo", engine], kinds=[], expires_ms=None)
    assert not keys_file.exists()


def test_files_of_keys_are_their_owner_s_whatever_the_umask(keys_file: Path) -> None:
    """The lock, too."""
    before = os.umask(0)
    try:
        add(keys_file, "ci", engines=["demo"], kinds=[], expires_ms=None)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys_file.parent.iterdir()}
    assert modes == {"keys.json": 0o600, "keys.json.lock": 0o600}


@pytest.mark.parametrize(
    ("mode", "taken"),
    [(0o444, True), (0o640, True), (0o644, True), (0o620, False), (0o602, False), (0o664, False), (0o666, False)],
)
def test_who_may_write_keys(write_keys: WriteKeys, keys_file: Path, mode: int, taken: bool) -> None:
    """Nobody but the owner: anybody else could add one. They may read the hashes, as with a secret that is mounted."""
    write_keys(key_entry("k"))
    keys = KeyFile(str(keys_file))
    keys_file.chmod(mode)
    if taken:
        assert keys.find("k") is not None
        return
    with pytest.raises(KeysUnreadable, match=f"can be written by other users.*chmod go-w {keys_file}"):
        read_keys(keys_file)
    with pytest.raises(AccessUnavailable):
        keys.find("k")


def test_add_keeps_what_is_there(write_keys: WriteKeys, keys_file: Path) -> None:
    """In its own words; and leaves nothing beside the file but the lock."""
    before = key_entry("k", expiresAt="2030-W05")
    write_keys(before)
    add(keys_file, "é", engines=["*"], kinds=[], expires_ms=None)
    first, second = json.loads(keys_file.read_text())
    assert (first, second["name"], set(second)) == (before, "é", {"name", "sha256", "engines"})
    assert sorted(os.listdir(keys_file.parent)) == ["keys.json", "keys.json.lock"]


def test_add_writes_through_a_symbolic_link(keys_file: Path, tmp_path: Path) -> None:
    """The link stays one."""
    link = tmp_path / "link.json"
    link.symlink_to(keys_file)
    add(link, "ci", engines=["demo"], kinds=[], expires_ms=None)
    assert (link.is_symlink(), len(read_keys(keys_file))) == (True, 1)


def test_add_refuses_a_name_that_is_taken(write_keys: WriteKeys, keys_file: Path) -> None:
    """By its name a key is known in logs, and revoked."""
    write_keys(key_entry("k"))
    before = keys_file.read_bytes()
    with pytest.raises(ValueError, match='"ci" is there already'):
        add(keys_file, "ci", engines=["demo"], kinds=[], expires_ms=None)
    assert keys_file.read_bytes() == before


def test_add_mends_no_broken_file(keys_file: Path) -> None:
    """What stands there is somebody's."""
    keys_file.write_text("[,]")
    with pytest.raises(KeysUnreadable):
        add(keys_file, "ci", engines=["demo"], kinds=[], expires_ms=None)
    assert keys_file.read_text() == "[,]"


ADDER = """
import sys
from pathlib import Path
from services.access.keys import add
for number in range(20):
    add(Path(sys.argv[1]), f"{sys.argv[2]}-{number}", engines=["demo"], kinds=[], expires_ms=None)
"""


def test_several_add_at_once(keys_file: Path) -> None:
    """Every key stays; the file is whole at any time."""
    adders = [subprocess.Popen([sys.executable, "-c", ADDER, str(keys_file), name], cwd=ROOT) for name in "abc"]
    while any(adder.poll() is None for adder in adders):
        assert not keys_file.exists() or len(read_keys(keys_file)) <= 60
    assert [adder.returncode for adder in adders] == [0, 0, 0]
    assert len(read_keys(keys_file)) == 60
