"""Regular expressions: RE2's, with what JavaScript writes differently; compiled they never backtrack."""

import functools
import re
from collections.abc import Callable

import re2

from services.filters.koncorde.location import Location

#: Characters of a pattern.
LONGEST = 1000

#: Texts whose answer an expression keeps, and characters of the longest of them.
KEPT_TEXTS = 256
KEPT_CHARACTERS = 1000

#: Those that RE2 takes as a prefix, and `y`: at the start only. `g`, `u`, `d` and all others change nothing.
FLAGS = "imsy"

#: JavaScript's long names of general categories (as node-re2 has them).
CATEGORIES = {
    "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt", "Cased_Letter": "LC",
    "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Letter": "L", "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc",
    "Enclosing_Mark": "Me", "Mark": "M", "Decimal_Number": "Nd", "Letter_Number": "Nl", "Other_Number": "No",
    "Number": "N", "Connector_Punctuation": "Pc", "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps",
    "Close_Punctuation": "Pe", "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf", "Other_Punctuation": "Po",
    "Punctuation": "P", "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk", "Other_Symbol": "So",
    "Symbol": "S", "Space_Separator": "Zs", "Line_Separator": "Zl", "Paragraph_Separator": "Zp", "Separator": "Z",
    "Control": "Cc", "Format": "Cf", "Surrogate": "Cs", "Private_Use": "Co", "Unassigned": "Cn", "Other": "C",
}  # fmt: skip

ESCAPE = re.compile(r"\\(?:c([A-Z])|u([0-9A-Fa-f]{1,4})|(u)(?=\{)|([pP])\{([^}]*)\}|.)", re.DOTALL)
SCRIPT = re.compile(r"(?:Script|sc)=")

OPTIONS = re2.Options()
OPTIONS.log_errors = False

#: Those of a check: a pattern that would take longer to compile than a caller may make us (some 20,000 steps) is none.
CHECKED = re2.Options()
CHECKED.log_errors = False
CHECKED.max_mem = 2**19


def pattern(source: str, flags: str, location: Location) -> str:
    """Return an expression for RE2. Raises `InvalidFilter`."""
    if len(source) > LONGEST:
        raise location.refuse(f"is too long: a pattern has at most {LONGEST} characters.")
    found = prefix(flags) + ESCAPE.sub(rewritten, source)
    check_pattern(found, location)
    return found


def effective(flags: str) -> str:
    return "".join(flag for flag in FLAGS if flag in flags)


def prefix(flags: str) -> str:
    letters = flags.replace("y", "")
    return f"(?{letters})" if letters else ""


def rewritten(escape: re.Match[str]) -> str:
    control, code, braced, category, name = escape.groups()
    if control:
        return f"\\x{ord(control) - ord('@'):02x}"
    if code:
        return f"\\x{{{code}}}"
    if braced:
        return "\\x"
    if category:
        return f"\\{category}{{{CATEGORIES.get(name, SCRIPT.sub('', name, count=1))}}}"
    return escape[0]


def check_pattern(text: str, location: Location) -> None:
    try:
        compiled = re2.compile(text.encode(), CHECKED)
    except UnicodeEncodeError as error:
        raise location.refuse("is text that is no Unicode (a lone surrogate).") from error
    except re2.error as error:
        raise location.refuse(f"is no regular expression of RE2: {said(error)}.") from error
    location.count_steps(compiled.programsize)


def said(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def finder(pattern: str, *, at_start: bool) -> Callable[[str], bool]:
    """Return what tells whether the expression is found in a text."""
    compiled = re2.compile(pattern.encode(), OPTIONS)
    find = compiled.match if at_start else compiled.search

    def found(text: str) -> bool:
        return find(text.encode("utf-8", "surrogatepass")) is not None

    return found


def remembering(found: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return a test that remembers short texts: those of measures are few."""
    return functools.lru_cache(KEPT_TEXTS)(found)
