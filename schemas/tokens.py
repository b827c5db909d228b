"""The schema of questions about a token."""

from marshmallow import Schema

from schemas import fields


class TokenSchema(Schema):
    """The body of `auth:checkToken`."""

    token = fields.Token(description="The token that is asked about. Absent: the caller's own.")


#: What a caller may name.
ARGUMENTS = fields.named(TokenSchema())
