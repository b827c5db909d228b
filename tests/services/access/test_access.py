"""The ways of `AUTH`, singly and together: who is admitted, and with which error the others are not."""

from typing import Any

import pytest

from services.access import Access
from services.access.rights import Right
from services.errors import Forbidden, ServiceError, Unauthorized
from tests.services.access.conftest import (
    ASSET,
    DEVICE,
    ELSEWHERE,
    HOUR,
    NOW,
    MakeAccess,
    WriteKeys,
    key_entry,
    token,
)
from tests.support.judge import Judge

INVALID = (401, "security.token.invalid")
UNAUTHORIZED = (401, "security.rights.unauthorized")
FORBIDDEN = (403, "security.rights.forbidden")

KEY = "kapikey-demo-only"
REVOKED = "kapikey-not-in-the-file"
EXPIRED_KEY = "kapikey-expired"

#: Signed with Kuzzle's secret; that Kuzzle knows GOOD (all rights) and MEAGRE (none); LOGGED_OUT no more.
GOOD = token()
MEAGRE = token({"_id": "eve"})
LOGGED_OUT = token({"_id": "joe"})
OF_NOBODY = token({"_id": "-1"})
#: Kuzzle's own API key, which it knows.
KUZZLE_KEY = token({"_id": "robot", "exp": None}, prefix="kapikey-")
FORGED = token(secret="guessed")
EXPIRED = token({"exp": NOW})


def outcome(access: Access, asked_with: str | None, right: Right = ASSET) -> Any:
    """Who was admitted, or status and id."""
    try:
        return access.admit(asked_with, right)
    except ServiceError as error:
        return error.status, error.id


@pytest.fixture
def world(kuzzle: Judge, write_keys: WriteKeys) -> None:
    """Users and keys that have rights in the engine `demo`, and some who have none."""
    kuzzle.tokens = {GOOD, MEAGRE, OF_NOBODY, KUZZLE_KEY}
    kuzzle.rights = {
        (who, f"device-manager/{kind}", "demo") for who in (GOOD, KUZZLE_KEY) for kind in ("assets", "devices")
    }
    write_keys(key_entry(KEY), key_entry(EXPIRED_KEY, name="old", expiresAt="2024-06-10T06:13:20.000Z"))


TABLE = [
    # AUTH, token, assets of demo, assets of another engine
    ("anonymous", None, "-1", "-1"),
    ("anonymous", "", "-1", "-1"),
    ("anonymous", "nonsense", INVALID, INVALID),
    ("anonymous", GOOD, INVALID, INVALID),
    ("kuzzle-jwt", None, UNAUTHORIZED, UNAUTHORIZED),
    ("kuzzle-jwt", GOOD, "bob", "bob"),
    ("kuzzle-jwt", MEAGRE, "eve", "eve"),
    ("kuzzle-jwt", OF_NOBODY, UNAUTHORIZED, UNAUTHORIZED),
    ("kuzzle-jwt", FORGED, INVALID, INVALID),
    ("kuzzle-jwt", EXPIRED, INVALID, INVALID),
    ("kuzzle-jwt", KUZZLE_KEY, INVALID, INVALID),
    ("kuzzle-jwt", KEY, INVALID, INVALID),
    ("anonymous,kuzzle-jwt", None, "-1", "-1"),
    ("anonymous,kuzzle-jwt", GOOD, "bob", "bob"),
    ("anonymous,kuzzle-jwt", OF_NOBODY, "-1", "-1"),
    ("anonymous,kuzzle-jwt", FORGED, INVALID, INVALID),
    ("anonymous,kuzzle-jwt", EXPIRED, INVALID, INVALID),
    ("anonymous,kuzzle-jwt", "nonsense", INVALID, INVALID),
    ("api-keys", None, UNAUTHORIZED, UNAUTHORIZED),
    ("api-keys", KEY, "key:ci", FORBIDDEN),
    ("api-keys", REVOKED, INVALID, INVALID),
    ("api-keys", EXPIRED_KEY, INVALID, INVALID),
    ("api-keys", GOOD, INVALID, INVALID),
    ("anonymous,api-keys", None, "-1", "-1"),
    ("anonymous,api-keys", KEY, "key:ci", "key:ci"),
    ("anonymous,api-keys", REVOKED, INVALID, INVALID),
    ("anonymous,api-keys", EXPIRED_KEY, INVALID, INVALID),
    ("api-keys,kuzzle-jwt", None, UNAUTHORIZED, UNAUTHORIZED),
    ("api-keys,kuzzle-jwt", KEY, "key:ci", FORBIDDEN),
    ("api-keys,kuzzle-jwt", GOOD, "bob", "bob"),
    ("api-keys,kuzzle-jwt", FORGED, INVALID, INVALID),
    ("api-keys,kuzzle-jwt", REVOKED, INVALID, INVALID),
    ("api-keys,kuzzle-jwt", KUZZLE_KEY, INVALID, INVALID),
    ("kuzzle", None, UNAUTHORIZED, UNAUTHORIZED),
    ("kuzzle", GOOD, "bob", FORBIDDEN),
    ("kuzzle", MEAGRE, FORBIDDEN, FORBIDDEN),
    ("kuzzle", OF_NOBODY, UNAUTHORIZED, UNAUTHORIZED),
    ("kuzzle", KUZZLE_KEY, "robot", FORBIDDEN),
    ("kuzzle", LOGGED_OUT, INVALID, INVALID),
    ("kuzzle", FORGED, INVALID, INVALID),
    ("anonymous,kuzzle", None, "-1", "-1"),
    ("anonymous,kuzzle", MEAGRE, "eve", "eve"),
    ("anonymous,kuzzle", LOGGED_OUT, INVALID, INVALID),
    ("kuzzle-jwt,kuzzle", None, UNAUTHORIZED, UNAUTHORIZED),
    ("kuzzle-jwt,kuzzle", GOOD, "bob", FORBIDDEN),
    ("kuzzle-jwt,kuzzle", MEAGRE, FORBIDDEN, FORBIDDEN),
    ("kuzzle-jwt,kuzzle", LOGGED_OUT, INVALID, INVALID),
    ("kuzzle-jwt,kuzzle", FORGED, INVALID, INVALID),
    ("kuzzle-jwt,kuzzle", KUZZLE_KEY, INVALID, INVALID),
    ("api-keys,kuzzle", KEY, "key:ci", FORBIDDEN),
    ("api-keys,kuzzle", KUZZLE_KEY, "robot", FORBIDDEN),
    ("api-keys,kuzzle", REVOKED, INVALID, INVALID),
    ("anonymous,kuzzle-jwt,api-keys,kuzzle", None, "-1", "-1"),
    ("anonymous,kuzzle-jwt,api-keys,kuzzle", KEY, "key:ci", "key:ci"),
    ("anonymous,kuzzle-jwt,api-keys,kuzzle", LOGGED_OUT, INVALID, INVALID),
]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("auth", "asked_with", "here", "elsewhere"), TABLE)
def test_who_may_export(make_access: MakeAccess, auth: str, asked_with: str | None, here: Any, elsewhere: Any) -> None:
    """In any order of the ways."""
    methods = auth.split(",")
    for access in (make_access(*methods), make_access(*reversed(methods))):
        assert (outcome(access, asked_with), outcome(access, asked_with, ELSEWHERE)) == (here, elsewhere)


@pytest.mark.usefixtures("world")
def test_rights_are_per_kind(make_access: MakeAccess, kuzzle: Judge, write_keys: WriteKeys) -> None:
    """Of that Kuzzle by its controllers, of a key by its `kinds`."""
    kuzzle.rights = {(GOOD, "device-manager/devices", "demo")}
    write_keys(key_entry(KEY, kinds=["assets"]))
    access = make_access("api-keys", "kuzzle")
    assert [outcome(access, GOOD), outcome(access, GOOD, DEVICE)] == [FORBIDDEN, "bob"]
    assert [outcome(access, KEY), outcome(access, KEY, DEVICE)] == ["key:ci", FORBIDDEN]


def test_kuzzles_anonymous_user_may_have_rights(make_access: MakeAccess, kuzzle: Judge) -> None:
    """Asked without a token; but not where a token is a must."""
    kuzzle.rights = {(None, "device-manager/assets", "demo")}
    assert outcome(make_access("kuzzle"), None) == "-1"
    assert outcome(make_access("kuzzle-jwt", "kuzzle"), None) == UNAUTHORIZED


@pytest.mark.usefixtures("world")
def test_a_token_that_fails_here_is_not_shown_to_kuzzle(make_access: MakeAccess, kuzzle: Judge) -> None:
    """Nor is a key of ours."""
    access = make_access("api-keys", "kuzzle-jwt", "kuzzle")
    assert [outcome(access, FORGED), outcome(access, KEY)] == [INVALID, "key:ci"]
    assert kuzzle.asked == []


@pytest.mark.parametrize(
    "asked_with", ["x" * 5000, "kauth-a b", "kauth-a\r\nX-Evil: 1", "kauth-é", "kauth-\ud800", "\0"]
)
def test_what_can_be_no_token_is_shown_to_nobody(make_access: MakeAccess, kuzzle: Judge, asked_with: str) -> None:
    """It would stand in a header."""
    assert outcome(make_access("kuzzle"), asked_with) == INVALID
    assert kuzzle.asked == []


def test_a_token_that_only_kuzzle_can_read_has_a_name(make_access: MakeAccess, kuzzle: Judge) -> None:
    """By which logs tell it from others, without holding it."""
    kuzzle.tokens, kuzzle.rights = {"opaque"}, {("opaque", "device-manager/assets", "demo")}
    assert outcome(make_access("kuzzle"), "opaque") == "token:6d229884"


@pytest.mark.usefixtures("world")
def test_errors_say_what_is_missing(make_access: MakeAccess) -> None:
    """To somebody and to nobody."""
    access = make_access("kuzzle")
    with pytest.raises(Forbidden, match=r'^Forbidden: "eve" may not export assets of "demo"\.$'):
        access.admit(MEAGRE, ASSET)
    with pytest.raises(Unauthorized, match=r'^Unauthorized: a token that may export devices of "demo" is needed\.$'):
        access.admit(None, DEVICE)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("auth", "asked_with", "result"),
    [
        ("kuzzle", None, {"valid": True, "kuid": "-1", "expiresAt": None}),
        ("anonymous", "", {"valid": True, "kuid": "-1", "expiresAt": None}),
        ("kuzzle-jwt", GOOD, {"valid": True, "kuid": "bob", "expiresAt": (NOW + HOUR) * 1000}),
        ("kuzzle", GOOD, {"valid": True, "kuid": "bob", "expiresAt": (NOW + HOUR) * 1000}),
        ("kuzzle", MEAGRE, {"valid": True, "kuid": "eve", "expiresAt": (NOW + HOUR) * 1000}),
        ("kuzzle", KUZZLE_KEY, {"valid": True, "kuid": "robot", "expiresAt": None}),
        ("api-keys", KEY, {"valid": True, "kuid": "key:ci", "expiresAt": None}),
        ("kuzzle-jwt", FORGED, {"valid": False, "state": "Invalid token."}),
        ("kuzzle", LOGGED_OUT, {"valid": False, "state": "Invalid token."}),
        ("api-keys", EXPIRED_KEY, {"valid": False, "state": "Invalid token: this key has expired."}),
        ("anonymous", GOOD, {"valid": False, "state": "Invalid token: nothing that AUTH names can vouch for it."}),
    ],
)
def test_check_token(make_access: MakeAccess, auth: str, asked_with: str | None, result: dict[str, Any]) -> None:
    """As `auth:checkToken` answers."""
    assert make_access(auth).check_token(asked_with) == result


@pytest.mark.usefixtures("world")
def test_user(make_access: MakeAccess) -> None:
    """As `auth:getCurrentUser` answers; a bad token is an error there."""
    access = make_access("kuzzle-jwt")
    nobody = {"_id": "-1", "_source": {"profileIds": ["anonymous"]}, "strategies": []}
    assert [access.user(None), access.user(OF_NOBODY)] == [nobody, nobody]
    assert access.user(GOOD) == {"_id": "bob", "_source": {"profileIds": []}, "strategies": []}
    with pytest.raises(ServiceError, match="Invalid token"):
        access.user(FORGED)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("auth", "asked_with", "expires"),
    [
        ("kuzzle-jwt", GOOD, (NOW + HOUR) * 1000),
        ("kuzzle", GOOD, (NOW + HOUR) * 1000),
        ("kuzzle", KUZZLE_KEY, None),
        ("kuzzle-jwt", FORGED, None),
        ("anonymous", GOOD, None),
        ("anonymous", None, None),
    ],
)
def test_expires_at(make_access: MakeAccess, kuzzle: Judge, auth: str, asked_with: str, expires: int | None) -> None:
    """For the notice on a socket; no Kuzzle is asked for it."""
    assert make_access(auth).expires_at(asked_with) == expires
    assert kuzzle.asked == []


def test_expires_at_of_a_key(make_access: MakeAccess, write_keys: WriteKeys) -> None:
    """As its file says."""
    write_keys(key_entry(KEY, expiresAt="2024-06-11"))
    assert make_access("api-keys").expires_at(KEY) == 1_718_064_000_000


@pytest.mark.parametrize(
    ("method", "name"),
    [("kuzzle-jwt", "KUZZLE_JWT_SECRET"), ("kuzzle", "KUZZLE_URL"), ("api-keys", "API_KEYS_FILE")],
)
def test_a_way_without_its_setting_is_not_taken(method: str, name: str) -> None:
    """An empty secret would be one that everybody knows."""
    with pytest.raises(ValueError, match=name):
        Access((method,), kuzzle_jwt_secret="", kuzzle_url="", api_keys_file="", clock=lambda: NOW)
