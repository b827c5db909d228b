"""The embedded store, over sqlite3; and what fills it."""

from services.stores.sqlite.load import LoadError, Survey, load, shown, survey
from services.stores.sqlite.store import SqliteStore

__all__ = ["LoadError", "SqliteStore", "Survey", "load", "shown", "survey"]
