"""The actions `exportMeasures` and `measures:export`: make links from calls, and export requests from links."""

import dataclasses
import secrets
import time
from dataclasses import dataclass
from typing import Any, Protocol

from actions.calls import Call
from actions.paths import download_path
from schemas import exports as schema
from services import exports
from services.access.rights import Right, to_export
from services.errors import InvalidArgument, LinkMissing, LinkRefused, RequestTooLarge, TokenInvalid
from services.formats import Maker, named
from services.links import Links
from services.measures import ExportRequest, Fleet, Kind, Target
from services.query_languages import Lang
from services.stores.port import Store

#: Bytes of a request line; gunicorn takes 8190 at most, nginx 8192.
LONGEST_REQUEST_LINE = 8000


#: The purpose of the tokens of fleets.
FLEET = "fleet"


class Admission(Protocol):
    """Decides who may export."""

    def admit(self, token: str | None, right: Right) -> str:
        """Return the user who asks.

        Raises `TokenInvalid`, `Unauthorized`, `Forbidden`, `AccessUnavailable`.
        """


@dataclass(frozen=True, kw_only=True)
class Exports:
    """`lang` is meant where a caller names none; `public_url` begins links in place of the call's own origin.

    `clock` tells epoch seconds.
    """

    store: Store
    links: Links
    admission: Admission
    lang: Lang
    public_url: str | None
    formula_guard: bool
    maker: Maker
    clock: schema.Clock = time.time

    def prepare(self, call: Call, kind: Kind) -> dict[str, Any]:
        """Return the result of `exportMeasures`. Raises `ServiceError` of any kind."""
        target = schema.target_of(call.arguments, lambda: call.body, kind=kind)
        return self._prepared(call, kind, to_export(target))

    def prepare_fleet(self, call: Call) -> dict[str, Any]:
        """Return the result of `measures:export`, for whom may export all assets (devices). Raises `ServiceError`."""
        engine = schema.engine_of(call.arguments, lambda: call.body)
        kind = schema.kind_of(call.arguments, lambda: call.body)
        return self._prepared(call, None, Right(engine, kind))

    def _prepared(self, call: Call, kind: Kind | None, right: Right) -> dict[str, Any]:
        request = self._read(call, kind, asked_by=self._admit(call, right))
        base_url = self._base_url(call)
        found = exports.prepare(request, self.store, self.maker)
        path, expires_ms = self._sign(request)
        result: dict[str, Any] = {
            "link": base_url + path,
            "expiresAt": expires_ms,
            "fileName": named(request),
            "estimatedRows": found.rows,
            "estimate": "exact" if found.exact else "at most",
        }
        if found.bytes is not None:
            result |= {"estimatedBytes": found.bytes, "bytesEstimate": "about"}
        if found.notices:
            result["warnings"] = list(map(dataclasses.asdict, found.notices))
        return result

    def requested(self, target: Target, export_id: str, tokens: list[str]) -> ExportRequest:
        """Return the request that the link's token was signed for.

        Raises `LinkMissing`, `LinkRefused` (also when the path is not the token's), `LinkExpired`.
        """
        request = schema.of_token(self.links.unsign(only(tokens)), clock=self.clock)
        check_path((request.target, request.export_id) == (target, export_id))
        return request

    def requested_of_fleet(self, engine: str, export_id: str, tokens: list[str]) -> ExportRequest:
        """Return the request that the token of a fleet's link was signed for. Raises what `requested` raises."""
        request = schema.of_fleet_token(self.links.unsign(only(tokens), FLEET), clock=self.clock)
        check_path((request.target.engine, request.export_id) == (engine, export_id))
        return request

    def _read(self, call: Call, kind: Kind | None, *, asked_by: str) -> ExportRequest:
        return schema.of_call(
            call.arguments,
            call.body,
            kind=kind,
            lang=self.lang,
            export_id=secrets.token_hex(8),
            asked_by=asked_by,
            guard=self.formula_guard,
            clock=self.clock,
        )

    def _admit(self, call: Call, right: Right) -> str:
        """Return the user who asks; called before anything is read that may take long."""
        if call.token is not None and not isinstance(call.token, str):
            raise TokenInvalid("The token is no text.")
        return self.admission.admit(call.token, right)

    def _base_url(self, call: Call) -> str:
        """Return the base URL of links, without a final slash.

        Raises `InvalidArgument` where none is known.
        """
        found = self.public_url or call.base_url
        if not found:
            raise InvalidArgument(
                "Host",
                "must be a host name or an address, with a port from 1 to 65535 if it has one: links begin with it "
                "where the service has no PUBLIC_URL.",
            )
        return found.rstrip("/")

    def _sign(self, request: ExportRequest) -> tuple[str, int]:
        purpose = FLEET if isinstance(request.target, Fleet) else ""
        token, expires_ms = self.links.sign(schema.to_token(request), purpose)
        path = f"{download_path(request)}?jwt={token}"
        if len(f"GET {path} HTTP/1.1") > LONGEST_REQUEST_LINE:
            part = schema.largest_part(request)
            raise RequestTooLarge(f'The request is too long for a link; its largest part is "{part}".', argument=part)
        return path, expires_ms


def only(tokens: list[str]) -> str:
    """Return the token of a link. Raises `LinkMissing`, `LinkRefused` where there are two."""
    if not tokens:
        raise LinkMissing("This link holds no token.")
    if len(tokens) > 1:
        raise LinkRefused("This link holds more than one token.")
    return tokens[0]


def check_path(is_own: bool) -> None:
    """Raise `LinkRefused` where a link's path is not its token's."""
    if not is_own:
        raise LinkRefused("This link is not valid: its token is for another export.")
