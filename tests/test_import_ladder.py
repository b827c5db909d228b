"""Imports point down the ladder or sideways, never up; a library is known in one place."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: A rung a module; the longest name that fits a module counts. `demo` and `bench` run the service from outside.
LADDER = {
    "demo": 10,
    "bench": 10,
    "wsgi": 9,
    "gunicorn.conf": 9,
    "app": 8,
    "serving": 8,
    "routes": 7,
    "actions": 6,
    "schemas": 5,
    "services.exports": 4,
    "services.estimates": 4,
    "services.contents": 3.5,
    "services.access": 4,
    "services.stores": 3,
    "services.stores.elasticsearch": 3.4,
    "services.stores.elasticsearch.paging": 3.3,
    "services.stores.elasticsearch.query": 3.2,
    "services.stores.elasticsearch.transport": 3.1,
    "services.stores.elasticsearch.names": 3,
    "services.verification": 2,
    "services.signing": 2,
    "services.file_names": 2,
    "services.kept_secret": 2,
    "services.links": 2,
    "services.formats": 2,
    "services.layouts": 3.5,
    "services.layouts.intervals": 2,
    "services.columns": 2,
    "services.collapsing": 2.5,
    "services.measures": 1,
    "services.filters": 1,
    "services.filters.elasticsearch": 1.2,
    "services.filters.python": 1.1,
    "services.filters.sqlite": 1.2,
    "services.mapping": 1,
    "services.zones": 1,
    "services.kept_file": 1,
    "services.instants": 0.5,
    "services.options": 0,
    "services.paths": 0,
    "services.version": 0,
    "services.lenient_json": 0,
    "services.errors": 0,
    "services.files": 0,
    "services.hosts": 0,
    "services.index_names": 0,
    "services.query_languages": 0,
    "services.scheduling": 0,
    "config": 0,
}

#: Who may import a library, or a part of the project that only the wiring knows.
KNOWN_BY = {
    "flask": {"app", "wsgi", "routes"},
    "werkzeug": {"app", "wsgi", "routes"},
    "wsproto": {"routes"},
    "gunicorn": {"serving", "gunicorn.conf"},
    "gevent": {"serving", "gunicorn.conf"},
    "marshmallow": {"schemas"},
    "apispec": {"routes.openapi"},
    "itsdangerous": {"services.links"},
    "jwt": {"services.access"},
    "urllib3": {"services.access"},
    "cryptography": {"services.signing"},
    "isal": {"services.formats"},
    "zoneinfo": {"services.zones"},
    "cachetools": {"services.access"},
    "elasticsearch": {"services.stores.elasticsearch", "bench"},
    "elastic_transport": {"services.stores.elasticsearch"},
    "sqlite3": {"services.stores.sqlite", "services.filters.sqlite"},
    "re2": {"services.filters"},
    "config": {"app", "wsgi", "gunicorn.conf", "demo", "bench"},
    "services.stores.elasticsearch": {"wsgi", "demo", "bench"},
    "services.stores.sqlite": {"wsgi", "routes.cli", "demo", "bench"},
}


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def rung(module: str) -> float | None:
    """`None`: not of this project."""
    fitting = [name for name in LADDER if within(module, name)]
    return LADDER[max(fitting, key=len)] if fitting else None


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative.parts[0] not in ("tests", "build", "var") and not relative.parts[0].startswith("."):
            yield ".".join(relative.with_suffix("").parts).removesuffix(".__init__"), path


@cache
def imports(path: Path) -> list[str]:
    """Absolute names; `from services import links` is `services.links` as well as `services`."""
    return list(imported(path))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = dict(modules())


def test_every_module_has_a_rung() -> None:
    """A module that the ladder does not know would be free to import anything."""
    packages = {"services", "services.__init__"}
    assert [module for module in MODULES if rung(module) is None and module not in packages] == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down_or_sideways(module: str) -> None:
    """No module imports one that stands higher."""
    own = rung(module)
    assert [name for name in imports(MODULES[module]) if (rung(name) or 0) > (own or 0)] == []


@pytest.mark.parametrize("known", sorted(KNOWN_BY))
def test_is_known_in_few_places(known: str) -> None:
    """Only the named modules, and its own, import it."""
    allowed = KNOWN_BY[known] | {known}
    assert [
        module
        for module, path in MODULES.items()
        if any(within(name, known) for name in imports(path)) and not any(within(module, each) for each in allowed)
    ] == []
