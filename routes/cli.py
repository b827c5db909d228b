"""The commands of `flask --app wsgi`: `load` fills the embedded database, `make-key` adds a key for `AUTH=api-keys`,
`verify` checks a package.
"""

import sys
import time
from pathlib import Path
from typing import cast

import click
from flask import Flask

from services import verification
from services.access import keys
from services.errors import StoreUnavailable
from services.formats.package import SIGNATURE
from services.instants import first_ms
from services.measures import Kind
from services.signing import OwnKey, PublicKey

#: What `verify` exits with where a signature could not be checked: no key was given, or is kept here.
UNPROVEN = 2


def register(app: Flask, *, sqlite_path: str, api_keys_file: str | None, key: OwnKey) -> None:
    """Add the commands to the application; `api_keys_file` may be `None`, then `make-key` fails. `key`: of packages."""

    @app.cli.command("load")
    @click.argument("folder", type=click.Path(path_type=Path))
    def load(folder: Path) -> None:
        """Fill the embedded database from FOLDER.

        Its files <index>.<collection>.ndjson, or .ndjson.gz, hold one {"_id": ..., "_source": {...}} a line.
        Documents are added or replaced, never removed; after an error nothing is loaded.
        """
        fill(sqlite_path, folder)

    @app.cli.command("make-key")
    @click.argument("name")
    @click.option(
        "--engine", "engines", multiple=True, required=True, metavar="ID", help="May be repeated; * is every."
    )
    @click.option(
        "--kind", "kinds", multiple=True, type=click.Choice(["assets", "devices"]), help="Only these; else both."
    )
    @click.option("--expires", metavar="ISO", help="The first moment at which it is refused, UTC; else never.")
    def make_key(name: str, engines: tuple[str, ...], kinds: tuple[str, ...], expires: str | None) -> None:
        """Add a key to API_KEYS_FILE and print it, once."""
        if api_keys_file is None:
            raise click.ClickException("API_KEYS_FILE is not set: it says where keys are kept.")
        expires_ms = None if expires is None else read_expiry(expires)
        try:
            key = keys.add(
                Path(api_keys_file), name, engines=engines, kinds=cast(tuple[Kind, ...], kinds), expires_ms=expires_ms
            )
        except (ValueError, OSError) as error:
            raise click.ClickException(f"No key was made: {error}.") from error
        except keys.KeysUnreadable as error:
            raise click.ClickException(f"No key was made: API_KEYS_FILE {error}") from error
        click.echo(f"Key of {name!r} for {', '.join(engines)}. Keep it: it is stored nowhere else.", err=True)
        click.echo(key)

    @app.cli.command("verify")
    @click.argument("package", type=click.Path(path_type=Path, exists=True, dir_okay=False))
    @click.option("--key", "key_file", type=click.Path(path_type=Path), metavar="PEM", help="Else this service's own.")
    def verify(package: Path, key_file: Path | None) -> None:
        """Check the package PACKAGE (format zip), and who has signed it.

        Exits with 1 and the first thing that is wrong; with 2 where all else is right, but no key is known.
        """
        if key_file is None:
            judge(package, key.public())
        else:
            judge(package, read_public_key(key_file), must_be_signed=True)


def judge(package: Path, key: PublicKey | None, *, must_be_signed: bool = False) -> None:
    """Tell the verdict on a package. `must_be_signed`: else anybody could take the signature away."""
    try:
        verdict = verification.verify(package, key)
    except OSError as error:
        raise click.ClickException(f"{package} cannot be read: {error.strerror}.") from error
    for sentence in verdict.checked:
        click.echo(sentence)
    if verdict.problem is not None:
        raise click.ClickException(verdict.problem)
    if must_be_signed and not verdict.is_signed:
        raise click.ClickException(f"{SIGNATURE} is missing: nobody has signed, and a key was given.")
    if verdict.is_signed and not verdict.is_proven:
        click.echo("It is signed, but no key is known: give one with --key (GET /_publicKey of the service).", err=True)
        sys.exit(UNPROVEN)


def read_public_key(path: Path) -> PublicKey:
    try:
        return PublicKey.from_pem(path.read_bytes())
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint="--key") from error
    except ValueError as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--key") from error


def fill(sqlite_path: str, folder: Path) -> None:
    from services.stores import sqlite  # costs memory, and only this command needs it

    try:
        found = sqlite.survey(folder)
        for path in found.ignored:
            click.echo(f"Ignored: {sqlite.shown(path)}")
        with click.progressbar(length=found.size, label="Loading") as bar:
            counts = sqlite.load(sqlite_path, folder, bar.update)
    except (sqlite.LoadError, StoreUnavailable) as error:
        raise click.ClickException(f"{error} Nothing was loaded.") from error
    for name, count in counts.items():
        click.echo(f"{name}: {count} documents")


def read_expiry(text: str) -> int:
    """Return epoch milliseconds. Raises `BadParameter` for a moment that has passed: such a key would never work."""
    try:
        expires_ms = first_ms(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from error
    if expires_ms <= time.time() * 1000:
        raise click.BadParameter(f"{text} has passed", param_hint="--expires")
    return expires_ms
