"""What actions and routes answer, for their description: the results of envelopes, and the envelope."""

from typing import Any

from marshmallow import Schema, fields, validate

#: Any of what is here: what the description of a route names as its answer.
Answer = fields.Field[Any]


def always(value: str, description: str) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf([value]), metadata={"description": description})


class ErrorSchema(Schema):
    message = fields.String(required=True, metadata={"description": "What is wrong, and what would be right."})
    status = fields.Integer(required=True)
    id = fields.String(required=True, allow_none=True, metadata={"description": "Kuzzle's, where one fits."})
    code = fields.Integer(required=True, allow_none=True, metadata={"description": "Kuzzle's, as the `id`."})
    props = fields.Dict(
        required=True, metadata={"description": "The facts of the message; `argument`: the one at fault."}
    )


class EnvelopeSchema(Schema):
    """Kuzzle's envelope around a result or an error."""

    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    error = fields.Nested(ErrorSchema, required=True, allow_none=True)
    controller = fields.String(required=True, allow_none=True)
    action = fields.String(required=True, allow_none=True)
    requestId = fields.String(required=True, metadata={"description": "The request's own, or a new one."})  # noqa: N815
    result = fields.Raw(required=True, allow_none=True)
    headers = fields.Dict(required=True)
    node = fields.String(required=True, metadata={"description": "The process that answers."})
    volatile = fields.Raw(required=True, allow_none=True, metadata={"description": "The request's own."})


class WarningSchema(Schema):
    id = fields.String(required=True, metadata={"examples": ["measures.without_instant"]})
    count = fields.Integer(required=True, metadata={"description": "How many documents or rows it is about."})
    message = fields.String(required=True)


class PreparedSchema(Schema):
    """An export that can be downloaded."""

    link = fields.String(
        required=True, metadata={"description": "An absolute URL: a GET downloads the file, any number of times."}
    )
    expiresAt = fields.Integer(  # noqa: N815
        required=True, metadata={"description": "When the link ends, in epoch milliseconds; a download goes on."}
    )
    fileName = fields.String(required=True)  # noqa: N815
    estimatedRows = fields.Integer(required=True, validate=validate.Range(min=0))  # noqa: N815
    estimate = fields.String(
        required=True,
        validate=validate.OneOf(["exact", "at most"]),
        metadata={"description": "`at most`: the filter is decided while reading."},
    )
    estimatedBytes = fields.Integer(  # noqa: N815
        validate=validate.Range(min=0), metadata={"description": "Absent where it is unknown."}
    )
    bytesEstimate = fields.String(validate=validate.OneOf(["about"]))  # noqa: N815
    warnings = fields.List(fields.Nested(WarningSchema))


class TokenStateSchema(Schema):
    """Whether a token is good."""

    valid = fields.Boolean(required=True)
    state = fields.String(metadata={"description": "Why it is not."})
    kuid = fields.String(metadata={"description": "Whose it is; `-1`: nobody's."})
    expiresAt = fields.Integer(  # noqa: N815
        allow_none=True, metadata={"description": "When it ends, in epoch milliseconds; `null`: never."}
    )


class ProfilesSchema(Schema):
    profileIds = fields.List(fields.String(), required=True)  # noqa: N815


class UserSchema(Schema):
    """Who asks."""

    _id = fields.String(required=True, metadata={"description": "`-1`: nobody."})
    _source = fields.Nested(ProfilesSchema, required=True)
    strategies = fields.List(fields.String(), required=True)


class ActionRouteSchema(Schema):
    verb = fields.String(required=True)
    path = fields.String(required=True)
    url = fields.String(required=True)


class ActionSchema(Schema):
    controller = fields.String(required=True)
    action = fields.String(required=True)
    http = fields.List(fields.Nested(ActionRouteSchema), required=True)


def public_api() -> fields.Dict:
    """Return the form of Kuzzle's `server:publicApi`: actions by controller and name."""
    return fields.Dict(required=True, values=fields.Dict(values=fields.Nested(ActionSchema)))


class ApiSchema(Schema):
    routes = public_api()


class KuzzleSchema(Schema):
    api = fields.Nested(ApiSchema, required=True)


class ServerSchema(Schema):
    kuzzle = fields.Nested(KuzzleSchema, required=True)


class InfoSchema(Schema):
    """What Kuzzle's SDK looks for in `server:info`."""

    serverInfo = fields.Nested(ServerSchema, required=True)  # noqa: N815


class AliveSchema(Schema):
    status = always("alive", "The process answers.")


class ReadySchema(Schema):
    status = always("ready", "Its store answers, too.")


PREPARED = fields.Nested(PreparedSchema)
TOKEN_STATE = fields.Nested(TokenStateSchema)
USER = fields.Nested(UserSchema)
PUBLIC_API = public_api()
INFO = fields.Nested(InfoSchema)
ALIVE = fields.Nested(AliveSchema)
READY = fields.Nested(ReadySchema)
DOCUMENT = fields.Dict()
