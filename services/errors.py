"""What can go wrong, and how each is answered: HTTP status, Kuzzle's `id` and `code`.

ServiceError 500
├── BadRequest 400
│   ├── InvalidArgument          a named argument has a wrong value
│   │   ├── InvalidType          ... or a wrong JSON type
│   │   └── InvalidFilter        ... the filter; the path of the mistake is the argument
│   ├── MissingArgument
│   └── BodyUnreadable           the body is no JSON object
├── RequestTooLarge 413
├── RequestTimeout 408           headers or body did not come in time
├── UriTooLong 414, HeadersTooLarge 431, ExpectationFailed 417, NotImplementedHere 501: no HTTP that is served
├── ClientLeft 499               nobody reads the answer any more
├── LinkMissing 401              a download without a token
├── LinkRefused 403              bad signature, or the token is for another path
├── LinkExpired 410
├── TokenInvalid 401             a caller's own token: wrong or expired
├── Unauthorized 401             nobody, where somebody is needed
├── Forbidden 403                somebody, without the right
├── UnknownEngine 412
├── NotFound 404                 a document of the store
├── UnknownController 404, UnknownAction 404
├── UrlNotFound 404, MethodNotAllowed 405, UpgradeRequired 426, HttpVersionNotSupported 505
├── StoreUnavailable 503         the store does not answer, or not in full
├── AccessUnavailable 503        who would judge the caller does not answer
└── Overloaded 503               this process serves as many downloads, or sockets, as it may

Codes: kuzzle/lib/kerror of Kuzzle 2.56.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

#: Characters that an error repeats of a name or a value: callers may send a megabyte of it.
MOST_SHOWN = 100


def shortened(text: str) -> str:
    """Return a text as an error repeats it."""
    return unicode(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…")


def unicode(text: str) -> str:
    """Return a text with lone surrogates spelled out: an answer that held them would be read by few."""
    return text.encode("utf-8", "backslashreplace").decode()


class ServiceError(Exception):
    """An error that a caller is told about. `props` are the facts of the message."""

    status: ClassVar[int] = 500
    id: ClassVar[str | None] = None
    code: ClassVar[int | None] = None

    def __init_subclass__(cls, **given: Any) -> None:
        """Take `status`, `id` and `code`, where given, from the line that begins the class."""
        super().__init_subclass__()
        for name, value in given.items():
            setattr(cls, name, value)

    def __init__(self, message: str, **props: Any) -> None:
        super().__init__(message)
        self.message = message
        self.props: Mapping[str, Any] = props

    def headers(self) -> Mapping[str, str]:
        """The HTTP headers that the answer owes beside its body."""
        return {}


class BadRequest(ServiceError, status=400):
    """A request is wrong."""


class InvalidArgument(BadRequest, id="api.assert.invalid_argument", code=33619970):
    """A value is wrong. `argument`: the name as the caller wrote it, or the path of the mistake within it."""

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(f'Invalid argument "{argument}": {reason}', argument=argument, reason=reason)
        self.argument = argument
        self.reason = reason


class InvalidType(InvalidArgument, id="api.assert.invalid_type", code=33619969):
    """A value has a wrong JSON type."""


class InvalidFilter(InvalidArgument):
    """A filter is wrong. `argument`: a path such as `query.and[1].range.values.temperature.gte`."""

    def __init__(self, path: str, keyword: str | None, reason: str) -> None:
        super().__init__(path, reason)
        self.props = {"argument": path, "keyword": keyword, "reason": reason}
        self.keyword = keyword


class MissingArgument(BadRequest, id="api.assert.missing_argument", code=33619971):
    """A named argument is missing."""

    def __init__(self, argument: str) -> None:
        super().__init__(f'Missing argument "{argument}".', argument=argument)


class BodyUnreadable(BadRequest, id="network.http.body_parse_failed", code=50397196):
    """The body is no JSON object."""


class RequestTooLarge(ServiceError, status=413, id="network.http.request_too_large", code=50397185):
    """A request, or a link of it, is too large."""


class RequestTimeout(ServiceError, status=408):
    """Headers or body did not come in time."""


class UriTooLong(ServiceError, status=414):
    """A path is too long."""


class HeadersTooLarge(ServiceError, status=431):
    """Headers are too long."""


class ExpectationFailed(ServiceError, status=417):
    """A client expects what the service does not do."""


class NotImplementedHere(ServiceError, status=501):
    """HTTP knows something that this service does not."""


class ClientLeft(ServiceError, status=499):
    """Nobody reads the answer; the work for it ends. The status, nginx's, is for the access log."""

    def __init__(self) -> None:
        super().__init__("The client has left.")


class LinkMissing(ServiceError, status=401):
    """A download has no token."""


class LinkRefused(ServiceError, status=403):
    """A signature is wrong, or the token is for another path."""


class LinkExpired(ServiceError, status=410):
    """A link is too old."""


class TokenInvalid(ServiceError, status=401, id="security.token.invalid", code=117506049):
    """A caller's own token is wrong or expired."""


class Unauthorized(ServiceError, status=401, id="security.rights.unauthorized", code=117637121):
    """Nobody asks, where somebody is needed."""


class Forbidden(ServiceError, status=403, id="security.rights.forbidden", code=117637122):
    """Somebody asks without the right."""


class UnknownEngine(ServiceError, status=412, id="services.storage.unknown_index", code=16842753):
    """There is no engine of that name."""

    def __init__(self, engine: str) -> None:
        super().__init__(f'The index "{engine}" does not exist.', engineId=engine)


class NotFound(ServiceError, status=404, id="services.storage.not_found", code=16842763):
    """The store has no such document."""

    def __init__(self, document: str, index: str, collection: str) -> None:
        super().__init__(f'Document "{document}" not found in "{index}":"{collection}".', _id=document)


class UnknownController(ServiceError, status=404, id="api.process.controller_not_found", code=33685508):
    """There is no controller of that name."""

    def __init__(self, controller: str) -> None:
        super().__init__(f'API controller "{controller}" not found.', controller=controller)


class UnknownAction(ServiceError, status=404, id="api.process.action_not_found", code=33685509):
    """A controller has no action of that name."""

    def __init__(self, controller: str, action: str) -> None:
        super().__init__(f'API action "{controller}":"{action}" not found', controller=controller, action=action)


class UrlNotFound(ServiceError, status=404, id="network.http.url_not_found", code=50397191):
    """There is no such path."""


class MethodNotAllowed(ServiceError, status=405):
    """A path does not take a verb. `allowed`: those that it takes."""

    def __init__(self, allowed: list[str]) -> None:
        super().__init__(f"This path takes {', '.join(allowed)}.", allowed=allowed)
        self.allowed = allowed

    def headers(self) -> Mapping[str, str]:
        return {"Allow": ", ".join(self.allowed)}


class UpgradeRequired(ServiceError, status=426):
    """A WebSocket has another version than 13."""

    def headers(self) -> Mapping[str, str]:
        return {"Sec-WebSocket-Version": "13", "Upgrade": "websocket"}


class HttpVersionNotSupported(ServiceError, status=505):
    """HTTP/1.0 cannot show that a download broke off."""


class StoreUnavailable(ServiceError, status=503, id="services.storage.not_connected", code=16842776):
    """The store does not answer, or not in full."""


class AccessUnavailable(ServiceError, status=503):
    """Who would judge the caller does not answer."""


class Overloaded(ServiceError, status=503, id="api.process.overloaded", code=33685506):
    """The process serves as many downloads, or sockets, as it may."""
