"""Verification: whether a package is, byte for byte, what the service wrote, and who says so.

Each promise is checked in turn, and the first that does not hold is named. A ZIP has bytes that its readers do not look
at: they are compared with what the service would have written around the same members.
"""

import csv
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from services.formats import archive
from services.formats.package import CHECKSUMS, DESCRIPTION, SIGNATURE
from services.signing import ALGORITHM, PublicKey

#: Bytes read at a time.
CHUNK = 1024 * 1024

#: Members that are told by name.
NAMED = 10

#: Bytes of the members that are read whole.
MOST_BYTES = 64 * 1024 * 1024

#: Bytes of a signature of Ed25519.
SIGNATURE_BYTES = 64

#: What is called so that belongs to no member.
DIRECTORY = "the directory of the archive"


class Wrong(Exception):
    """Something does not hold: the message names it."""


@dataclass
class Verdict:
    """Tells what was `checked`, a sentence each, and what is wrong first; `None`: nothing.

    `is_signed`: the package says so. `is_proven`: its signature is of the key that was given.
    """

    checked: list[str] = field(default_factory=list)
    problem: str | None = None
    is_signed: bool = False
    is_proven: bool = False


def verify(path: Path, key: PublicKey | None) -> Verdict:
    """Return the verdict on a package. `key`: that it should be signed by, if one is known. Raises `OSError`."""
    verdict = Verdict()
    try:
        with path.open("rb") as file, opened(file) as package:
            check(package, file, key, verdict)
    except Wrong as error:
        verdict.problem = str(error)
    return verdict


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Wrong(f"{DIRECTORY}: this is no ZIP that is whole ({error}).") from error


def check(package: zipfile.ZipFile, file: IO[bytes], key: PublicKey | None, verdict: Verdict) -> None:
    """Check all, one after the other. Raises `Wrong`."""
    names = check_names(package)
    told = ", ".join(names) if len(names) <= NAMED else f"{len(names):,} files"
    verdict.checked.append(f"The archive is whole, and holds {told}.")
    check_frame(package, file)
    sums = {name: sum_of(package, name) for name in names}
    verdict.checked.append("Each member has its checksum, and no byte stands beside them.")
    check_sums(package, sums)
    verdict.checked.append(f"{CHECKSUMS} has the SHA-256 of each file.")
    description = read_json(package)
    check_resources(package, description, sums)
    verdict.checked.append(f"{DESCRIPTION} has the files, with their bytes, hashes and rows.")
    check_signature(package, description, key, verdict)


def check_names(package: zipfile.ZipFile) -> list[str]:
    names = [member.filename for member in package.infolist()]
    counts = Counter(names)
    for name in names:
        if counts[name] > 1:
            raise Wrong(f"{name} is in the archive twice.")
        folder, _, file = name.rpartition("/")
        if "/" in folder or "\\" in name or folder in (".", "..") or file in ("", ".", "..") or name.startswith("/"):
            raise Wrong(f"{name!r} is no plain name of a member.")
        if not name.endswith(".csv") and name not in (DESCRIPTION, CHECKSUMS, SIGNATURE):
            raise Wrong(f"{name} does not belong into a package.")
    for name in (DESCRIPTION, CHECKSUMS):
        if name not in names:
            raise Wrong(f"{name} is missing.")
    if not any(name.endswith(".csv") for name in names):
        raise Wrong(f"{DIRECTORY}: no CSV is in the archive.")
    return names


def chunks(package: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield a member. Raises `Wrong` where it cannot be read as it was written."""
    try:
        with package.open(name) as member:
            while chunk := member.read(CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise Wrong(f"{name} is damaged ({error}).") from error


def sum_of(package: zipfile.ZipFile, name: str) -> str:
    found = hashlib.sha256()
    for chunk in chunks(package, name):
        found.update(chunk)
    return found.hexdigest()


def check_frame(package: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Compare what stands around the members, and their seals, with what the service writes. Raises `Wrong`."""
    members, at = [], 0
    for info in package.infolist():
        name = info.filename
        member = archive.Member(name.encode(), info.header_offset, info.CRC, info.compress_size, info.file_size)
        if member.offset != at or max(member.packed, member.size) > archive.MOST_BYTES:
            raise Wrong(f"{name}: where the archive says that it is, or how large, is not as it was written.")
        at = compared(file, at, archive.local_header(member), name)
        member.seal = seal_of(file, member.packed)
        if info.extra != archive.SEAL + member.seal:
            raise Wrong(f"{name} is damaged (its packed bytes are not those that were sealed).")
        at = compared(file, at + member.packed, archive.descriptor(member), name)
        members.append(member)
    at = compared(file, at, archive.directory(members, at), DIRECTORY)
    file.seek(at)
    if file.read(1):
        raise Wrong(f"{DIRECTORY}: bytes stand behind it.")


def seal_of(file: IO[bytes], packed: int) -> bytes:
    """Return the seal of so many bytes from here."""
    found = hashlib.sha256()
    while packed > 0 and (chunk := file.read(min(packed, CHUNK))):
        packed -= len(chunk)
        found.update(chunk)
    return found.digest()


def compared(file: IO[bytes], at: int, expected: bytes, what: str) -> int:
    """Return where the expected bytes end. Raises `Wrong` where others stand."""
    file.seek(at)
    if file.read(len(expected)) != expected:
        raise Wrong(f"{what}: what the archive says of it is not as it was written.")
    return at + len(expected)


def whole(package: zipfile.ZipFile, name: str) -> bytes:
    if package.getinfo(name).file_size > MOST_BYTES:
        raise Wrong(f"{name} is too large.")
    return b"".join(chunks(package, name))


def check_sums(package: zipfile.ZipFile, sums: dict[str, str]) -> None:
    expected = {name: sum for name, sum in sums.items() if name not in (CHECKSUMS, SIGNATURE)}
    *lines, rest = whole(package, CHECKSUMS).decode("utf-8", "replace").split("\n")
    if rest or not all(re.match("[0-9a-f]{64}  .", line) for line in lines):
        raise Wrong(f"{CHECKSUMS} has not one checksum and one name a line.")
    told = {line[66:]: line[:64] for line in lines}
    for name, sum in expected.items():
        if told.get(name) != sum:
            raise Wrong(f"{name} has not the SHA-256 that {CHECKSUMS} tells.")
    if len(lines) != len(expected):
        raise Wrong(f"{CHECKSUMS} names other files than the archive holds.")


def read_json(package: zipfile.ZipFile) -> dict[str, Any]:
    try:
        found = json.loads(whole(package, DESCRIPTION))
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{DESCRIPTION} is no JSON ({error}).") from error
    if not isinstance(found, dict):
        raise Wrong(f"{DESCRIPTION} holds no object.")
    return found


def check_resources(package: zipfile.ZipFile, description: dict[str, Any], sums: dict[str, str]) -> None:
    resources = description.get("resources")
    if not isinstance(resources, list) or not all(isinstance(each, dict) for each in resources):
        raise Wrong(f"{DESCRIPTION} names no resources.")
    files = sorted(name for name in sums if name.endswith(".csv"))
    if sorted(str(resource.get("path")) for resource in resources) != files:
        raise Wrong(f"{DESCRIPTION} names other files than the archive holds.")
    for resource in resources:
        name = str(resource["path"])
        for fact, actual in facts_of(package, name, sums[name], resource):
            told = resource.get(fact)
            if type(told) is not type(actual) or told != actual:  # JSON's true and 2.0 are no count
                raise Wrong(f"{name} has not the {fact} that {DESCRIPTION} tells.")


def facts_of(
    package: zipfile.ZipFile, name: str, sum: str, resource: dict[str, Any]
) -> Iterator[tuple[str, int | str]]:
    """Yield what a description tells of a file, as it is; each only when it is asked for."""
    yield "bytes", package.getinfo(name).file_size
    yield "hash", f"sha256:{sum}"
    yield "rows", rows_of(package, name, resource)


def rows_of(package: zipfile.ZipFile, name: str, resource: dict[str, Any]) -> int:
    """Return the rows of data of a file."""
    dialect = resource.get("dialect")
    if not isinstance(dialect, dict) or dialect.get("delimiter") not in tuple(",;|:\t "):
        raise Wrong(f"{DESCRIPTION} does not tell how {name} is written.")
    csv.field_size_limit(2**31 - 1)
    try:
        with package.open(name) as member, io.TextIOWrapper(member, "utf-8-sig", newline="") as text:
            rows = sum(1 for _ in csv.reader(text, delimiter=dialect["delimiter"], strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise Wrong(f"{name} is no CSV ({error}).") from error
    return rows - (dialect.get("header") is not False)


def check_signature(
    package: zipfile.ZipFile, description: dict[str, Any], key: PublicKey | None, verdict: Verdict
) -> None:
    own = description.get("measuresExport")
    told = own.get("signature", "") if isinstance(own, dict) else ""
    is_there = SIGNATURE in package.namelist()
    if told is None:
        if is_there:
            raise Wrong(f"{SIGNATURE} is there, though {DESCRIPTION} says that nobody has signed.")
        verdict.checked.append("Nobody has signed: whoever had the file could have changed it, and its checksums.")
        return
    if not isinstance(told, dict) or told.get("algorithm") != ALGORITHM or not isinstance(told.get("key"), str):
        raise Wrong(f"{DESCRIPTION} does not tell who has signed.")
    if not is_there:
        raise Wrong(f"{SIGNATURE} is missing, though {DESCRIPTION} says that it is signed.")
    signature = whole(package, SIGNATURE)
    if len(signature) != SIGNATURE_BYTES:
        raise Wrong(f"{SIGNATURE} is no signature: it has not {SIGNATURE_BYTES} bytes.")
    verdict.is_signed = True
    if key is None:
        return
    if told["key"] != key.fingerprint:
        raise Wrong(f"{SIGNATURE} is of another key: {told['key']}, not {key.fingerprint}.")
    if not key.holds(whole(package, DESCRIPTION), signature):
        raise Wrong(f"{SIGNATURE} does not match {DESCRIPTION}.")
    verdict.is_proven = True
    verdict.checked.append(f"The signature is of the key {key.fingerprint}.")
