"""The route of the key that packages are checked with."""

from flask import Blueprint, Response

from actions.paths import PUBLIC_KEY
from services.errors import UrlNotFound
from services.signing import OwnKey


def blueprint(own: OwnKey) -> Blueprint:
    routes = Blueprint("public_key", __name__)

    @routes.get(PUBLIC_KEY)
    def public_key() -> Response:
        key = own.get()
        if key is None:
            raise UrlNotFound("Packages are not signed here: there is no SIGNING_KEY_FILE.")
        return Response(key.public.pem, mimetype="application/x-pem-file")

    return routes
