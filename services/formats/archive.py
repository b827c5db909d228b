"""A ZIP that is written while its members are made, in flat memory (PKWARE's APPNOTE 6.3).

What is known of a member only in its end stands behind it, in a data descriptor. Sizes have 32 bits: Excel warns of
ZIP64. The directory has a seal of each member, the SHA-256 of its packed bytes, in an extra field that readers pass
over: what unpacks to the same may be packed in many ways, and a package is to show that not a bit was changed.
"""

import contextlib
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from isal import isal_zlib

from services.errors import InvalidArgument

#: What 32 bits hold: bytes of a member, packed or not, and of what stands before one.
MOST_BYTES = 2**32 - 1

#: Members, by 16 bits.
MOST_MEMBERS = 2**16 - 1

#: isal's own level 1.
LEVEL = 1

#: Sizes stand behind a member (bit 3), names are UTF-8 (bit 11).
FLAGS = 0x0808

VERSION, DEFLATED = 20, 8

#: Made by Unix, for its permissions.
MADE_BY = 3 << 8 | VERSION

#: A file that its owner may write and all may read.
ATTRIBUTES = 0o100644 << 16

#: 1980-01-01, 00:00, the first that ZIP knows: the same bytes each time.
TIME, DATE = 0, 1 << 5 | 1


#: The head of the extra field of a seal: an id that nobody has registered, and its bytes.
SEAL = struct.pack("<2sH", b"mx", 32)


class ArchiveFull(Exception):
    """A ZIP cannot hold what is to be written."""


@contextlib.contextmanager
def told_as_format() -> Iterator[None]:
    """Raise `InvalidArgument` with `format` where an archive is full."""
    try:
        yield
    except ArchiveFull as error:
        raise InvalidArgument("format", str(error)) from error


@dataclass
class Member:
    """Tells of a member where it begins, its CRC-32, its bytes packed and unpacked, and its seal."""

    name: bytes
    offset: int
    crc: int = 0
    packed: int = 0
    size: int = 0
    seal: bytes = b""


class Archive:
    """Writes a ZIP: `begin`, `write`, `end_member` for each member, then `end`; each returns the file's next bytes."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._members: list[Member] = []
        self._deflate = isal_zlib.compressobj(LEVEL, wbits=-15)
        self._seal = hashlib.sha256()
        self._offset = 0

    @property
    def unpacked_bytes(self) -> int:
        """The bytes of all members, before they are packed."""
        return sum(member.size for member in self._members)

    def begin(self, name: str) -> bytes:
        """Begin a member. Raises `ArchiveFull`."""
        if len(self._members) == MOST_MEMBERS:
            raise ArchiveFull(f"A ZIP holds {MOST_MEMBERS:,} files.")
        member = Member(name.encode(), self._offset)
        self._members.append(member)
        self._deflate = isal_zlib.compressobj(LEVEL, wbits=-15)
        self._seal = hashlib.sha256()
        return self._counted(local_header(member))

    def write(self, data: bytes) -> bytes:
        """Add to the member. Raises `ArchiveFull`."""
        member = self._members[-1]
        member.crc = isal_zlib.crc32(data, member.crc)
        member.size += len(data)
        return self._packed(self._deflate.compress(data))

    def flush(self) -> bytes:
        """Return what is still held back of the member, so that it can be read."""
        return self._packed(self._deflate.flush(isal_zlib.Z_SYNC_FLUSH))

    def end_member(self) -> bytes:
        """End the member. Raises `ArchiveFull`."""
        last = self._packed(self._deflate.flush())
        self._members[-1].seal = self._seal.digest()
        return last + self._counted(descriptor(self._members[-1]))

    def end(self) -> bytes:
        """Return the directory, without which no reader opens the file."""
        return directory(self._members, self._offset)

    def _packed(self, data: bytes) -> bytes:
        self._members[-1].packed += len(data)
        self._seal.update(data)
        return self._counted(data)

    def _counted(self, data: bytes) -> bytes:
        self._offset += len(data)
        if self._offset > self._most or (self._members[-1].size > self._most):
            raise ArchiveFull("This format holds 4 GiB at most: csv, with compress gzip, holds any number of rows.")
        return data


def local_header(member: Member) -> bytes:
    """Return what stands before a member; its sizes come behind it."""
    return struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", VERSION, FLAGS, DEFLATED, TIME, DATE, 0, 0, 0, len(member.name), 0
    ) + member.name  # fmt: skip


def descriptor(member: Member) -> bytes:
    """Return what stands behind a member."""
    return struct.pack("<4s3L", b"PK\x07\x08", member.crc, member.packed, member.size)


def directory(members: list[Member], offset: int) -> bytes:
    """Return the central directory, which begins at `offset`, and the record that ends the file."""
    entries = b"".join(map(entry, members))
    count = len(members)
    return entries + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), offset, 0)


def entry(member: Member) -> bytes:
    extra = SEAL + member.seal
    return struct.pack(
        "<4s6H3L5H2L",
        b"PK\x01\x02", MADE_BY, VERSION, FLAGS, DEFLATED, TIME, DATE, member.crc, member.packed, member.size,
        len(member.name), len(extra), 0, 0, 0, ATTRIBUTES, member.offset,
    ) + member.name + extra  # fmt: skip
