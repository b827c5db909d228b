"""Verification: what is said of a whole package, and that each thing that can be wrong with one is named."""

import hashlib
import io
import itertools
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services import verification
from services.formats import archive
from services.formats.archive import Archive
from services.formats.package import CHECKSUMS, DESCRIPTION, SIGNATURE
from services.signing import PublicKey, SigningKey, made_pem
from services.verification import DIRECTORY, Verdict

KEY = SigningKey.from_pem(made_pem())

CSV = b'at,value\n2026-01-01T00:00:00.000Z,21.5\n2026-01-01T00:01:00.000Z,"a, b\nc"\n'

#: What a problem may be of.
NAMES = ("measures.csv", DESCRIPTION, CHECKSUMS, SIGNATURE, DIRECTORY)

Verify = Callable[..., Verdict]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    made = Archive()
    return b"".join(made.begin(name) + made.write(data) + made.end_member() for name, data in members) + made.end()


def resource(name: str, data: bytes, rows: int, **others: Any) -> dict[str, Any]:
    told = {"path": name, "bytes": len(data), "hash": f"sha256:{sha256(data)}", "rows": rows}
    return told | {"dialect": {"delimiter": ",", "header": True}} | others


@dataclass
class Parts:
    """What a package is made of; a test replaces what should be wrong, and `description` is signed as it then is."""

    files: dict[str, bytes] = field(default_factory=lambda: {"measures.csv": CSV})
    resources: Any = field(default_factory=lambda: [resource("measures.csv", CSV, 2)])
    signed: Any = field(default_factory=lambda: {"algorithm": "Ed25519", "key": KEY.public.fingerprint})
    description: bytes | None = None
    sums: bytes | None = None
    signature: bytes | None = None
    more: list[tuple[str, bytes]] = field(default_factory=list)

    def members(self) -> list[tuple[str, bytes]]:
        told = {"resources": self.resources, "measuresExport": {"signature": self.signed}}
        described = json.dumps(told).encode() if self.description is None else self.description
        summed = {**self.files, DESCRIPTION: described}
        sums = "".join(f"{sha256(data)}  {name}\n" for name, data in summed.items()).encode()
        members = [*summed.items(), (CHECKSUMS, sums if self.sums is None else self.sums)]
        if self.signature is not None or self.signed is not None:
            members.append((SIGNATURE, KEY.sign(described) if self.signature is None else self.signature))
        return members + self.more

    def package(self) -> bytes:
        return zipped(self.members())


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    def verdict(package: bytes, key: PublicKey | None = KEY.public) -> Verdict:
        path = tmp_path / "package.zip"
        path.write_bytes(package)
        return verification.verify(path, key)

    return verdict


def problem(verdict: Verdict) -> str:
    assert verdict.problem is not None
    assert not verdict.is_proven
    return verdict.problem


def test_a_whole_package(verify: Verify) -> None:
    """What was checked is said in order, and the key in the end."""
    verdict = verify(Parts().package())
    assert (verdict.problem, verdict.is_signed, verdict.is_proven) == (None, True, True)
    assert verdict.checked == [
        "The archive is whole, and holds measures.csv, datapackage.json, SHA256SUMS, datapackage.json.sig.",
        "Each member has its checksum, and no byte stands beside them.",
        "SHA256SUMS has the SHA-256 of each file.",
        "datapackage.json has the files, with their bytes, hashes and rows.",
        f"The signature is of the key {KEY.public.fingerprint}.",
    ]


def test_a_signed_package_without_a_key(verify: Verify) -> None:
    """All else is checked, and that nothing is proven is told."""
    verdict = verify(Parts().package(), None)
    assert (verdict.problem, verdict.is_signed, verdict.is_proven, len(verdict.checked)) == (None, True, False, 4)


@pytest.mark.parametrize("key", [None, KEY.public])
def test_a_package_that_nobody_has_signed(verify: Verify, key: PublicKey | None) -> None:
    """Is whole, but proves nothing, and says so: with a key as without one."""
    verdict = verify(Parts(signed=None).package(), key)
    assert (verdict.problem, verdict.is_signed, verdict.is_proven) == (None, False, False)
    assert verdict.checked[-1].startswith("Nobody has signed")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is no verdict."""
    with pytest.raises(OSError, match="nowhere"):
        verification.verify(tmp_path / "nowhere", None)


FILES: Mapping[str, tuple[bytes, int, dict[str, Any]]] = {
    "header only": (b"a,b\n", 0, {}),
    "no header": (b"1,2\n3,4\n", 2, {"dialect": {"delimiter": ",", "header": False}}),
    "no header, no rows": (b"", 0, {"dialect": {"delimiter": ",", "header": False}}),
    "semicolon": (b'a;b\n1;"x;\r\ny"\n', 1, {"dialect": {"delimiter": ";", "header": True}}),
    "tab": (b'a\tb\n1\t"\n"\n', 1, {"dialect": {"delimiter": "\t"}}),
    "CRLF": (b"a,b\r\n1,2\r\n", 1, {}),
    "BOM": (b'\xef\xbb\xbf"a\n",b\n1,2\n', 1, {}),
    "quotes": (b'a\n"say ""x\ny"""\n', 1, {}),
    "UTF-8": ("a\n°\n".encode(), 1, {}),
    "a large cell": (b"a\n" + b"x" * 200_000 + b"\n", 1, {}),
}


@pytest.mark.parametrize(("data", "rows", "others"), FILES.values(), ids=list(FILES))
def test_rows(verify: Verify, data: bytes, rows: int, others: dict[str, Any]) -> None:
    """Are those that a reader of CSV finds, by the dialect; one more or less is noticed."""
    for told, expected in {
        rows: None,
        rows + 1: f"a.csv has not the rows that {DESCRIPTION} tells.",
        rows - 1: f"a.csv has not the rows that {DESCRIPTION} tells.",
    }.items():
        parts = Parts(files={"a.csv": data}, resources=[resource("a.csv", data, told, **others)])
        assert verify(parts.package()).problem == expected


def test_several_files(verify: Verify) -> None:
    """Each with a resource of its own, larger than what is read at a time."""
    large = b"a\n" + b"".join(b"%d\n" % number for number in range(400_000))
    files = {"température.csv": b"a\n1\n", "b.csv": large}
    resources = [resource("b.csv", large, 400_000), resource("température.csv", files["température.csv"], 1)]
    assert len(large) > 2 * verification.CHUNK
    assert verify(Parts(files=files, resources=resources).package()).problem is None


def replaced(change: dict[str, Any]) -> list[dict[str, Any]]:
    return [resource("measures.csv", CSV, 2) | change]


_OTHER = SigningKey.from_pem(made_pem())
_LINE = f"{sha256(CSV)}  measures.csv\n"

WRONG: Mapping[str, tuple[Parts, str]] = {
    "a member twice": (Parts(more=[("measures.csv", CSV)]), "measures.csv is in the archive twice"),
    "a member too many": (Parts(more=[("run.exe", b"")]), "run.exe does not belong"),
    "a file too many": (Parts(more=[("b.csv", b"a\n")]), "b.csv has not the SHA-256"),
    "a path up": (Parts(more=[("../b.csv", b"")]), "'../b.csv' is no plain name"),
    "a path from the root": (Parts(more=[("/b.csv", b"")]), "'/b.csv' is no plain name"),
    "a path of three": (Parts(more=[("a/b/c.csv", b"")]), "'a/b/c.csv' is no plain name"),
    "a path up in two": (Parts(more=[("../a/b.csv", b"")]), "no plain name"),
    "a path here": (Parts(more=[("./b.csv", b"")]), "no plain name"),
    "a path of Windows": (Parts(more=[("..\\b.csv", b"")]), "no plain name"),
    "a folder": (Parts(more=[("b.csv/", b"")]), "'b.csv/' is no plain name"),
    "no description": (Parts(), f"{DESCRIPTION} is missing"),
    "no checksums": (Parts(), f"{CHECKSUMS} is missing"),
    "a wrong checksum": (Parts(sums=_LINE.replace(_LINE[:4], "0000").encode()), "measures.csv has not the SHA-256"),
    "a checksum that is missing": (Parts(sums=_LINE.encode()), f"{DESCRIPTION} has not the SHA-256"),
    "no checksum": (Parts(sums=b""), "measures.csv has not the SHA-256"),
    "no JSON": (Parts(description=b"{"), f"{DESCRIPTION} is no JSON"),
    "no UTF-8": (Parts(description=b'"\xff"'), f"{DESCRIPTION} is no JSON"),
    "no object": (Parts(description=b"[]"), f"{DESCRIPTION} holds no object"),
    "no resources": (Parts(resources=None), f"{DESCRIPTION} names no resources"),
    "resources of another kind": (Parts(resources=["measures.csv"]), f"{DESCRIPTION} names no resources"),
    "a resource too few": (Parts(resources=[]), f"{DESCRIPTION} names other files"),
    "a resource twice": (Parts(resources=replaced({}) * 2), f"{DESCRIPTION} names other files"),
    "another path": (Parts(resources=replaced({"path": "b.csv"})), f"{DESCRIPTION} names other files"),
    "other bytes": (Parts(resources=replaced({"bytes": 1})), "measures.csv has not the bytes"),
    "another hash": (Parts(resources=replaced({"hash": f"sha256:{sha256(b'')}"})), "measures.csv has not the hash"),
    "a hash without its kind": (Parts(resources=replaced({"hash": sha256(CSV)})), "measures.csv has not the hash"),
    "other rows": (Parts(resources=replaced({"rows": 3})), "measures.csv has not the rows"),
    "rows that are text": (Parts(resources=replaced({"rows": "2"})), "measures.csv has not the rows"),
    "no dialect": (Parts(resources=replaced({"dialect": None})), "does not tell how measures.csv is written"),
    "another delimiter": (Parts(resources=replaced({"dialect": {"delimiter": "ab"}})), "measures.csv is written"),
    "no CSV": (
        Parts(files={"a.csv": b'a\n"x'}, resources=[resource("a.csv", b'a\n"x', 1)]),
        "a.csv is no CSV",
    ),
    "a CSV that is no UTF-8": (
        Parts(files={"a.csv": b"a\n\xff\n"}, resources=[resource("a.csv", b"a\n\xff\n", 1)]),
        "a.csv is no CSV",
    ),
    "nothing of a signature": (Parts(signed=""), f"{DESCRIPTION} does not tell who has signed"),
    "another algorithm": (
        Parts(signed={"algorithm": "RSA", "key": KEY.public.fingerprint}),
        f"{DESCRIPTION} does not tell who has signed",
    ),
    "no name of a key": (Parts(signed={"algorithm": "Ed25519"}), f"{DESCRIPTION} does not tell who has signed"),
    "another key": (
        Parts(signed={"algorithm": "Ed25519", "key": _OTHER.public.fingerprint}),
        f"{SIGNATURE} is of another key: {_OTHER.public.fingerprint}, not {KEY.public.fingerprint}",
    ),
    "a signature of other bytes": (Parts(signature=KEY.sign(b"")), f"{SIGNATURE} does not match"),
    "a signature that is short": (Parts(signature=bytes(63)), SIGNATURE),
    "a signature that is not told": (Parts(signed=None, signature=bytes(64)), f"{SIGNATURE} is there, though"),
    "a signature that is missing": (Parts(), f"{SIGNATURE} is missing, though"),
}

WITHOUT = {
    "no description": DESCRIPTION,
    "no checksums": CHECKSUMS,
    "a signature that is missing": SIGNATURE,
}


@pytest.mark.parametrize(("case", "parts", "expected"), [(case, *wrong) for case, wrong in WRONG.items()], ids=WRONG)
def test_what_is_wrong(verify: Verify, case: str, parts: Parts, expected: str) -> None:
    """Is named: the member, and what of it does not hold."""
    members = [(name, data) for name, data in parts.members() if name != WITHOUT.get(case)]
    assert expected in problem(verify(zipped(members)))


@pytest.mark.parametrize("name", ["measures.csv", DESCRIPTION, CHECKSUMS, SIGNATURE])
def test_a_member_of_another_package(verify: Verify, name: str) -> None:
    """However well it is packed."""
    members = [(each, bytes([data[0] ^ 1]) + data[1:] if each == name else data) for each, data in Parts().members()]
    problem(verify(zipped(members)))


@pytest.mark.parametrize("where", ["before", "between", "behind"])
def test_bytes_that_belong_to_nothing(verify: Verify, where: str) -> None:
    """Are noticed wherever they stand, even where the records agree with them."""
    made = Archive()
    parts = [made.begin(name) + made.write(data) + made.end_member() for name, data in Parts().members()]
    if where == "between":
        parts[1:1] = [b"stray"]
    whole = b"".join(parts) + made.end()
    stray = {"before": b"stray" + whole, "between": whole, "behind": whole + b"stray"}[where]
    problem(verify(stray))


def test_no_zip(verify: Verify) -> None:
    """Is told as what it is."""
    for content in (b"", b"PK", CSV, bytes(5000)):
        assert problem(verify(content)).startswith(f"{DIRECTORY}: this is no ZIP")


def test_a_part_of_a_package(verify: Verify) -> None:
    """Is none, wherever it is cut."""
    whole = Parts().package()
    for length in range(0, len(whole), 50):
        problem(verify(whole[:length]))


@pytest.fixture(scope="module")
def whole() -> bytes:
    return Parts().package()


@pytest.fixture(scope="module")
def unnoticed(whole: bytes, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The packages, of all with one bit turned, or all eight bits of one byte, in which nothing is found wrong."""
    path = tmp_path_factory.mktemp("turned") / "package.zip"
    missed = []
    for at, mask in itertools.product(range(len(whole)), [*(1 << bit for bit in range(8)), 0xFF]):
        turned = with_turned(whole, at, mask)
        path.write_bytes(turned)
        if verification.verify(path, KEY.public).problem is None:
            missed.append(turned)
    return missed


def with_turned(package: bytes, at: int, mask: int) -> bytes:
    return package[:at] + bytes([package[at] ^ mask]) + package[at + 1 :]


def test_every_byte_around_the_members(verify: Verify, whole: bytes) -> None:
    """What is named is a member, or the archive's directory."""
    around = sorted(set(range(len(whole))) - packed_places(whole))
    assert len(around) > 300
    for at in around:
        found = problem(verify(with_turned(whole, at, 0xFF)))
        assert any(name in found for name in NAMES) or "no plain name" in found or "does not belong" in found, found


def packed_places(package: bytes) -> set[int]:
    """Return where the packed bytes of the members stand."""
    places: set[int] = set()
    at = 0
    while package.startswith(b"PK\x03\x04", at):
        start = at + 30 + struct.unpack_from("<H", package, at + 26)[0]
        end = package.index(b"PK\x07\x08", start)
        places.update(range(start, end))
        at = end + 16
    return places


@pytest.mark.slow
def test_every_bit(unnoticed: list[bytes]) -> None:
    """Each is noticed, also those of the packed bytes that change nothing of what comes out."""
    assert unnoticed == []


@pytest.mark.slow
def test_no_content_changes_unnoticed(whole: bytes, unnoticed: list[bytes]) -> None:
    """Where a turned bit is not noticed, readers have the same files."""
    for package in unnoticed:
        assert contents(package) == contents(whole)


def contents(package: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(package)) as read:
        return [(name, read.read(name)) for name in read.namelist()]


def test_a_size_of_more_than_32_bits(verify: Verify) -> None:
    """ZIP64, which the service does not write, is a problem and no crash; whichever member and size it is of."""
    package = Parts().package()
    start = package.index(b"PK\x01\x02")
    seal = len(archive.SEAL) + 32
    length = 46 + len("measures.csv") + seal
    entry = bytearray(package[start : start + length])
    struct.pack_into("<L", entry, 24, archive.MOST_BYTES)
    struct.pack_into("<H", entry, 30, seal + 12)
    end = bytearray(package[-22:])
    struct.pack_into("<L", end, 12, struct.unpack_from("<L", end, 12)[0] + 12)
    extra = struct.pack("<HHQ", 1, 8, 2**40)
    assert "measures.csv" in problem(verify(package[:start] + entry + extra + package[start + length : -22] + end))


def test_a_description_of_many_levels(verify: Verify) -> None:
    """Is a problem and no crash."""
    assert DESCRIPTION in problem(verify(Parts(description=b"[" * 200_000).package()))


def test_no_csv(verify: Verify) -> None:
    """A package is of one file at least."""
    problem(verify(Parts(files={}, resources=[]).package()))


@pytest.mark.parametrize("size", [0, 5, 63, 65])
def test_a_signature_of_another_size(verify: Verify, size: int) -> None:
    """Is none, also where no key is known."""
    assert SIGNATURE in problem(verify(Parts(signature=bytes(size)).package(), None))


@pytest.mark.parametrize("rows", [2.0, True])
def test_rows_that_are_no_count(verify: Verify, rows: Any) -> None:
    """Though Python takes them for the same."""
    data = b"a\n1\n" if rows is True else CSV
    parts = Parts(files={"a.csv": data}, resources=[resource("a.csv", data, rows)])
    assert "a.csv has not the rows" in problem(verify(parts.package()))


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: text.replace("\n", "\x0b")])
def test_checksums_in_other_lines(verify: Verify, change: Callable[[str], str]) -> None:
    """`sha256sum --check` would not read them all."""
    parts = Parts()
    sums = dict(parts.members())[CHECKSUMS].decode()
    assert CHECKSUMS in problem(verify(Parts(sums=change(sums).encode()).package()))
