"""The operations of the service, one for each route: what it takes, what it answers, what it may refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from actions import paths
from schemas import answers, exports, tokens
from schemas.answers import Answer
from schemas.fields import Field
from services import errors
from services.errors import ServiceError
from services.formats import file_type
from services.options import FORMATS, Options

Arguments = Mapping[str, Field]
Errors = tuple[type[ServiceError], ...]

#: What gunicorn's parser refuses, and what nobody foresaw: on any route.
HTTP: Errors = (
    errors.BadRequest,
    errors.RequestTimeout,
    errors.UriTooLong,
    errors.ExpectationFailed,
    errors.HeadersTooLarge,
    errors.ServiceError,
    errors.NotImplementedHere,
)
CALL: Errors = (errors.InvalidArgument, errors.InvalidType, errors.BodyUnreadable, errors.RequestTooLarge)
WHOSE: Errors = (errors.TokenInvalid, errors.AccessUnavailable)
RIGHT: Errors = (*WHOSE, errors.Unauthorized, errors.Forbidden)
STORED: Errors = (errors.UnknownEngine, errors.NotFound, errors.StoreUnavailable)
PREPARE: Errors = (*CALL, errors.MissingArgument, *RIGHT, *STORED)
LINK: Errors = (errors.LinkMissing, errors.LinkRefused, errors.LinkExpired)
DOWNLOAD: Errors = (
    *LINK,
    *STORED,
    errors.InvalidArgument,
    errors.InvalidType,
    errors.UrlNotFound,
    errors.Overloaded,
    errors.HttpVersionNotSupported,
)

#: By what a caller is known; each names a security scheme of the document.
Security = Sequence[Mapping[str, Sequence[str]]]
ANYBODY: Security = ()
CALLER: Security = ({}, {"bearer": ()}, {"token": ()})
BEARER: Security = ({}, {"bearer": ()})
HOLDER: Security = ({"link": ()},)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One verb of one path of `actions.paths`.

    `arguments`: of the query string and of the body; those in the path are left out of both. `body`: what the body
    alone may hold. `messages`: the body is a message. `result`: in an envelope. `content`: the answer without one, by
    media type. `refuses`: beside what any route does. `page`: errors are also an HTML page. `cached`: may be a 304.
    """

    verb: Literal["get", "post"]
    path: str
    id: str
    tag: str
    summary: str
    description: str = ""
    arguments: Arguments | None = None
    body: Arguments | None = None
    messages: bool = False
    result: Answer | None = None
    content: Mapping[str, Answer | None] | None = None
    refuses: Errors = ()
    security: Security = ANYBODY
    page: bool = False
    cached: bool = False


def _file_types() -> Mapping[str, None]:
    """Return the media types of files, without their parameters."""
    options = [*(Options(format=each) for each in FORMATS), Options(compress="gzip")]
    return dict.fromkeys(file_type(each).media_type.partition(";")[0] for each in options)


def _sdk(controller: str, action: str) -> str:
    return paths.SDK_ROUTES[controller][action][1]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        verb="post",
        path=paths.EXPORT,
        id="prepareMeasures",
        tag="Exports",
        summary="Prepare an export of the measures of one asset or device",
        description="Counts what matches, and answers with a signed link. An argument stands in the query string or "
        "in the body, never in both; the body is read as JSON whatever its content type says.",
        arguments=exports.ARGUMENTS,
        result=answers.PREPARED,
        refuses=(*PREPARE, errors.UrlNotFound),
        security=CALLER,
    ),
    Operation(
        verb="get",
        path=paths.DOWNLOAD,
        id="downloadMeasures",
        tag="Exports",
        summary="Download a prepared export",
        description="`result.link` of the prepare is the whole URL. The file is streamed: it has no length and takes "
        "no ranges; where it cannot be completed the transfer breaks. `HEAD` answers as the download would begin. "
        "A format of text is compressed on its way where `Accept-Encoding` names gzip.",
        content=_file_types(),
        refuses=DOWNLOAD,
        security=HOLDER,
        page=True,
    ),
    Operation(
        verb="post",
        path=paths.FLEET_EXPORT,
        id="prepareFleet",
        tag="Exports",
        summary="Prepare an export of the measures of many assets or devices",
        description="As for one; `ids`, `models` and `groups` choose, and all of them hold. Lists stand as JSON, or in "
        "the query string parted by commas.",
        arguments=exports.FLEET_ARGUMENTS,
        result=answers.PREPARED,
        refuses=(*PREPARE, errors.UrlNotFound),
        security=CALLER,
    ),
    Operation(
        verb="get",
        path=paths.FLEET_DOWNLOAD,
        id="downloadFleet",
        tag="Exports",
        summary="Download a prepared export of many assets or devices",
        description="As of one.",
        content=_file_types(),
        refuses=DOWNLOAD,
        security=HOLDER,
        page=True,
    ),
    Operation(
        verb="post",
        path=paths.QUERY,
        id="query",
        tag="Kuzzle",
        summary="Do the action that a message names",
        description="The same messages as over the WebSocket, which any path of this port opens.",
        messages=True,
        refuses=(*PREPARE, errors.UnknownController, errors.UnknownAction),
        security=BEARER,
    ),
    Operation(
        verb="post",
        path=_sdk("auth", "checkToken"),
        id="checkToken",
        tag="Kuzzle",
        summary="Tell whether a token is good",
        description="The body's token, else the caller's own. A bad one is no error.",
        body=tokens.ARGUMENTS,
        result=answers.TOKEN_STATE,
        refuses=CALL,
        security=CALLER,
    ),
    Operation(
        verb="get",
        path=_sdk("auth", "getCurrentUser"),
        id="getCurrentUser",
        tag="Kuzzle",
        summary="Tell who asks",
        result=answers.USER,
        refuses=(*CALL, *WHOSE),
        security=CALLER,
    ),
    Operation(
        verb="get",
        path=_sdk("server", "publicApi"),
        id="publicApi",
        tag="Kuzzle",
        summary="List the actions and their routes, as Kuzzle does",
        result=answers.PUBLIC_API,
        refuses=CALL,
    ),
    Operation(
        verb="get",
        path=_sdk("server", "info"),
        id="info",
        tag="Kuzzle",
        summary="List the same in the form of `server:info`",
        result=answers.INFO,
        refuses=CALL,
    ),
    Operation(
        verb="get",
        path=paths.ALIVE,
        id="alive",
        tag="Service",
        summary="Is the process alive?",
        content={"application/json": answers.ALIVE},
    ),
    Operation(
        verb="get",
        path=paths.READY,
        id="ready",
        tag="Service",
        summary="Does its store answer?",
        content={"application/json": answers.READY},
        refuses=(errors.StoreUnavailable,),
    ),
    Operation(
        verb="get",
        path=paths.PUBLIC_KEY,
        id="publicKey",
        tag="Service",
        summary="The key that packages (`format=zip`) are checked with",
        content={"application/x-pem-file": None},
        refuses=(errors.UrlNotFound,),
    ),
    Operation(
        verb="get",
        path=paths.OPENAPI,
        id="openapi",
        tag="Service",
        summary="This document",
        content={"application/json": answers.DOCUMENT},
        cached=True,
    ),
)
