"""The file name of an export, safe on every system, and the header that carries it."""

import unicodedata
from urllib.parse import quote

from services.measures import Fleet, Target
from services.options import USUAL, Options

#: Characters that Windows, macOS or a shell give a meaning.
RESERVED = frozenset('/\\:*?"<>|')

#: Those that Windows writes as one of them where a program asks it for a file by bytes ("best fit", code page 1252).
FITTED = frozenset("⁄∕∖∶∗∣ʺ")

#: Of the plain name: some clients take `%2F` there for a slash, and some end the name at `;`, quotes or not.
RESERVED_PLAIN = RESERVED | frozenset("%;")

#: Characters of an id that a name holds at most.
LONGEST = 120

#: Names that Windows keeps for devices, whatever they end in.
DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³")]
)

#: Bytes of the header's value. wget 1.21 keeps so many, and would end a longer name in the middle of a letter; a name
#: then has 156 bytes of UTF-8 at most, where file systems take 255, and leaves room for ` (1)` and `.crdownload`.
LONGEST_HEADER = 511


def file_name(target: Target | Fleet, suffix: str, options: Options = USUAL) -> str:
    """Return what a file is called: as its caller wants, else `asset-<id>`, `measures-<engine>` or what `flask load`
    reads; with the suffix, once, and `_` for what a file name may not hold; cut where it is too long.
    """
    prefix, base = based(target, options)
    safe = "".join("_" if _unsafe(character) else character for character in without(suffix, base)[: LONGEST + 1])
    if not prefix:
        safe = own(safe)
    length = min(len(safe), LONGEST)
    while len(content_disposition(name := prefix + safe[:length] + suffix)) > LONGEST_HEADER or _splits(safe, length):
        length -= 1
    return name


def member_name(model: str, id: str, taken: set[str]) -> str:
    """Return the path of a CSV in an archive, `<model>/<id>.csv`, made safe, and another than those that are `taken`,
    ignoring case; it is added to them.
    """
    base = f"{part(model)}/{part(id)}"
    name, number = base, 1
    while f"{name}.csv".casefold() in taken:
        number += 1
        name = f"{base} ({number})"
    taken.add(f"{name}.csv".casefold())
    return f"{name}.csv"


def part(text: str) -> str:
    """Return a text as one part of a path, safe on every system."""
    safe = own("".join("_" if _unsafe(character) else character for character in text[: LONGEST + 1]))
    length = min(len(safe), LONGEST)
    while _splits(safe, length):
        length -= 1
    return safe[:length].rstrip(". ") or "_"


def based(target: Target | Fleet, options: Options) -> tuple[str, str]:
    """Return what a name begins with, and what comes then, before its suffix."""
    if options.file_name is not None:
        return "", options.file_name
    if options.format == "documents":
        return "", f"{target.engine}.measures"
    if isinstance(target, Fleet):
        return "measures-", target.engine
    return f"{target.kind.removesuffix('s')}-", target.id


def without(suffix: str, name: str) -> str:
    """Return a name without its suffix: without any part of it that it ends in, from the last on."""
    for part in reversed(suffix.split(".")[1:]):
        if name.lower().endswith(f".{part}"):
            name = name[: -len(part) - 1]
    return name


def own(name: str) -> str:
    """Return a name that somebody chose as one that is a plain file everywhere: not hidden, no device of Windows."""
    name = name.strip(" ")
    if name.startswith(".") or not name or name.split(".")[0].rstrip().upper() in DEVICES:
        return f"_{name.removeprefix('.')}"
    return name


def content_disposition(name: str) -> str:
    """Return the header's value for an attachment of that name: plain for old clients, UTF-8 (RFC
    5987) for the others.
    """
    return f"attachment; filename=\"{plain(name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def plain(name: str) -> str:
    """Return the name in ASCII, made safe after its characters have been taken apart: `／` becomes
    `/` only then.
    """
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join("_" if letter in RESERVED_PLAIN or not letter.isprintable() else letter for letter in letters)


def _unsafe(character: str) -> bool:
    """Return whether a character is reserved or hidden, itself or as any client may write it.

    Control and format characters (right-to-left override among them) hide what a name ends in.
    """
    return character in FITTED or any(map(_forbidden, character + unicodedata.normalize("NFKD", character)))


def _forbidden(character: str) -> bool:
    return character in RESERVED or (unicodedata.category(character)[0] in "CZ" and character != " ")


def _splits(text: str, length: int) -> bool:
    """Return whether a cut after so many characters would part a letter from a mark of it."""
    return 0 < length < len(text) and unicodedata.category(text[length]).startswith("M")
