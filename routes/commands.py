"""Commands of `flask --app wsgi`."""

from pathlib import Path

import click
from flask import Flask

from services.errors import StoreUnavailable


def register(app: Flask, sqlite_path: str) -> None:
    @app.cli.command("load")
    @click.argument("folder", type=click.Path(path_type=Path))
    def load(folder: Path) -> None:
        """Fill the embedded database from FOLDER.

        Its files <index>.<collection>.ndjson, or .ndjson.gz, hold one {"_id": ..., "_source": {...}} a line.
        Documents are added or replaced, never removed; after an error nothing is loaded.
        """
        fill(sqlite_path, folder)


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
