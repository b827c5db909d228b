"""The ZIP that is written while its members are made: what others read of it, and what it does not hold."""

import io
import random
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.formats import archive
from services.formats.archive import Archive, ArchiveFull
from tests.conftest import absent

MEMBERS = {"a.csv": b"x,y\n1,2\n", "empty": b"", "Température 1°.csv": b"22,5 \xc2\xb0C\n" * 10_000, "日本.csv": b"x"}


def packed(members: dict[str, bytes]) -> bytes:
    made = Archive()
    written = [
        made.begin(name) + made.write(data[:7]) + made.flush() + made.write(data[7:]) + made.end_member()
        for name, data in members.items()
    ]
    return b"".join(written) + made.end()


def test_what_zipfile_reads() -> None:
    """All members, in order, by names of any script; an empty one is a member."""
    with zipfile.ZipFile(io.BytesIO(packed(MEMBERS))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == MEMBERS
        assert read.namelist() == list(MEMBERS)


def test_an_archive_without_members() -> None:
    """Is one, too."""
    with zipfile.ZipFile(io.BytesIO(Archive().end())) as read:
        assert read.namelist() == []


def test_what_unzip_reads(tmp_path: Path) -> None:
    """Info-ZIP finds no error, and warns of nothing."""
    program = shutil.which("unzip") or absent("unzip is not installed")
    path = tmp_path / "made.zip"
    path.write_bytes(packed(MEMBERS))
    done = subprocess.run([program, "-t", str(path)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"No errors detected in compressed data of {path}." in done.stdout
    assert done.stdout.count(" OK\n") == len(MEMBERS)


def test_what_is_told_of_a_member() -> None:
    """A file of Unix that all may read, of 1980, in UTF-8, with its sizes behind it; nothing of ZIP64."""
    with zipfile.ZipFile(io.BytesIO(packed(MEMBERS))) as read:
        for found in read.infolist():
            assert (found.create_system, found.create_version, found.extract_version) == (3, 20, 20)
            assert (found.flag_bits, found.compress_type) == (0x0808, zipfile.ZIP_DEFLATED)
            assert (found.external_attr, found.internal_attr) == (0o100644 << 16, 0)
            assert (found.date_time, found.comment) == ((1980, 1, 1, 0, 0, 0), b"")
            assert (found.extra[:4], len(found.extra)) == (b"mx\x20\x00", 36)


def test_the_same_bytes_each_time() -> None:
    """Whenever it is made."""
    assert packed(MEMBERS) == packed(MEMBERS)


def test_what_is_flushed_can_be_read() -> None:
    """All that was written of a member, before it has ended."""
    made, reader, data = Archive(), zlib.decompressobj(-15), random.Random(1).randbytes(5000)
    made.begin("a.csv")
    for at in range(0, len(data), 1000):
        assert reader.decompress(made.write(data[at : at + 1000]) + made.flush()) == data[at : at + 1000]
    assert made.unpacked_bytes == len(data)


def test_a_part_is_no_archive() -> None:
    """Wherever it is cut: a download that breaks off is never taken for whole."""
    whole = packed({"a.csv": b"x,y\n1,2\n", "b.csv": b""})
    for length in range(len(whole)):
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(whole[:length]))


def test_a_member_as_large_as_may_be() -> None:
    """One byte more, before it is packed, is refused."""
    made = Archive(most_bytes=10_000)
    made.begin("a.csv")
    made.write(bytes(10_000))
    with pytest.raises(ArchiveFull, match="4 GiB at most: csv"):
        made.write(b"x")


@pytest.mark.parametrize("member_bytes", [1, 300, 5000])
def test_no_byte_stands_behind_the_most(member_bytes: int) -> None:
    """Whether packed bytes, headers or descriptors come first to it; what was returned before is within it."""
    made, data, written = Archive(most_bytes=10_000), random.Random(1).randbytes(member_bytes), 0

    def steps() -> Iterator[bytes]:
        for number in range(10_000):
            yield made.begin(f"{number}.csv")
            yield made.write(data)
            yield made.flush()
            yield made.end_member()

    returned = steps()
    with pytest.raises(ArchiveFull, match="4 GiB at most: csv"):  # noqa: PT012  each step may be the one too many
        while True:
            written += len(next(returned))
    assert 10_000 - member_bytes - 60 < written <= 10_000


def test_as_many_members_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused, and the others stay readable."""
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    made = Archive()
    written = b"".join(made.begin(f"{number}.csv") + made.end_member() for number in range(3))
    with pytest.raises(ArchiveFull, match="holds 3 files"):
        made.begin("3.csv")
    with zipfile.ZipFile(io.BytesIO(written + made.end())) as read:
        assert read.namelist() == ["0.csv", "1.csv", "2.csv"]


def test_the_most() -> None:
    """What 32 and 16 bits hold."""
    assert (archive.MOST_BYTES, archive.MOST_MEMBERS) == (2**32 - 1, 65_535)
