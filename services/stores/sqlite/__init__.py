"""The embedded store, over sqlite3; and what fills it."""

from services.stores.sqlite.load import FolderSurvey, LoadError, load, shown, survey
from services.stores.sqlite.store import SqliteStore

__all__ = ["FolderSurvey", "LoadError", "SqliteStore", "load", "shown", "survey"]
