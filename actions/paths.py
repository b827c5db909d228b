"""The URL paths of the service, once: for its routes, its links and `server:publicApi`.

A path is written as Kuzzle's `server:publicApi` writes it, with parameters as `:name`.
"""

from collections.abc import Mapping
from urllib.parse import quote

from services.measures import ExportRequest, Fleet

#: Where an export is prepared, by `POST`. `:kind` is `assets` or `devices`.
EXPORT = "/_/device-manager/:engineId/:kind/:_id/measures/_export"

#: Where a prepared export is downloaded, by `GET`.
DOWNLOAD = f"{EXPORT}/:exportId"

#: The same of a fleet.
FLEET_EXPORT = "/_/device-manager/:engineId/measures/_export"
FLEET_DOWNLOAD = f"{FLEET_EXPORT}/:exportId"

#: Where a message holds the whole request, by `POST`.
QUERY = "/_query"

#: The health checks, by `GET`: is the process alive, does its store answer?
ALIVE, READY = "/_healthz", "/_readyz"

#: The key that packages are checked with, by `GET`.
PUBLIC_KEY = "/_publicKey"

#: The description of all routes, by `GET`.
OPENAPI = "/_openapi"

#: Verb and path of every other action, by controller and action.
SDK_ROUTES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "auth": {"checkToken": ("POST", "/_checkToken"), "getCurrentUser": ("GET", "/_me")},
    "server": {"publicApi": ("GET", "/_publicApi"), "info": ("GET", "/")},
}


def filled(path: str, **values: str) -> str:
    """Return the path with each named parameter replaced by its value, as it is."""
    return "/".join(values.get(part[1:], part) if part.startswith(":") else part for part in path.split("/"))


def download_path(request: ExportRequest) -> str:
    """Return where an export is downloaded, its parts percent-encoded."""
    target = request.target
    engine = quote(target.engine, safe="")
    if isinstance(target, Fleet):
        return filled(FLEET_DOWNLOAD, engineId=engine, exportId=request.export_id)
    document = quote(target.id, safe="")
    return filled(DOWNLOAD, engineId=engine, kind=target.kind, _id=document, exportId=request.export_id)
