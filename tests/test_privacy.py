"""What begins with an underscore is read by its own class or module only, in the code and in the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("actions", "bench", "demo", "routes", "schemas", "services", "serving", "tests")
FILES = sorted([*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))])

#: gunicorn tells only there whether a client awaits `100 Continue`, and would send it when the body is read.
ALLOWED = {("serving/worker.py", "_expected_100_continue")}


def is_own(holder: ast.expr) -> bool:
    """`self`, `cls` and `super()`."""
    if isinstance(holder, ast.Call):
        holder = holder.func
    return isinstance(holder, ast.Name) and holder.id in ("self", "cls", "super")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names(tree: ast.AST) -> Iterator[str]:
    """Attributes of others, and names of other modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node.value):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if is_private(alias.name))


@pytest.mark.slow
def test_nothing_private_is_read_from_outside() -> None:
    """A test that needs it asks for what is public, or the code has not enough that is."""
    found = [
        (str(path.relative_to(ROOT)), attribute)
        for path in FILES
        for attribute in private_names(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert set(found) - ALLOWED == set()
