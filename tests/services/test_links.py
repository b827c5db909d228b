"""A link's token: what was signed comes back, whole, in time, or not at all."""

import hashlib
import json

import pytest
from itsdangerous import URLSafeSerializer

from services.errors import LinkExpired, LinkRefused
from services.links import CLOCK_SKEW_MS, SALT, Links
from tests.support.clock import Clock

OLD, NEW = "o" * 32, "n" * 32
PAYLOAD = {"engineId": "e", "_id": 'a/b é"'}


def links(*secrets: str, clock: Clock | None = None) -> Links:
    return Links(secrets or (NEW,), ttl_seconds=120, clock=clock or Clock())


def test_what_was_signed_comes_back() -> None:
    """Without the times, which are ours."""
    token, expires = links().sign(PAYLOAD)
    assert expires == 1_700_000_120_000
    assert links().unsign(token) == PAYLOAD


@pytest.mark.parametrize(("made", "read"), [("", "fleet"), ("fleet", ""), ("fleet", "twins")])
def test_a_token_of_one_purpose_is_none_of_another(made: str, read: str) -> None:
    """Whatever it holds."""
    token, _ = links().sign(PAYLOAD, made)
    assert links().unsign(token, made) == PAYLOAD
    with pytest.raises(LinkRefused):
        links().unsign(token, read)


def test_a_link_lives_to_its_last_millisecond() -> None:
    """`exp` is the first moment at which it is dead."""
    clock = Clock()
    token, _ = links(clock=clock).sign(PAYLOAD)
    clock.seconds += 119.999
    assert links(clock=clock).unsign(token) == PAYLOAD
    clock.seconds += 0.001
    with pytest.raises(LinkExpired):
        links(clock=clock).unsign(token)


def test_another_replica_may_be_a_minute_ahead() -> None:
    """Clocks differ; a link from further in the future is refused."""
    token, _ = links(clock=Clock(1000 + CLOCK_SKEW_MS / 1000)).sign(PAYLOAD)
    assert links(clock=Clock(1000)).unsign(token) == PAYLOAD
    with pytest.raises(LinkRefused):
        links(clock=Clock(999.999)).unsign(token)


def test_the_first_secret_signs_and_all_verify() -> None:
    """Rotation: put the new secret first, drop the old one later."""
    old_token, _ = links(OLD).sign(PAYLOAD)
    token, _ = links(NEW, OLD).sign(PAYLOAD)
    assert links(NEW, OLD).unsign(old_token) == PAYLOAD
    assert links(NEW).unsign(token) == PAYLOAD
    with pytest.raises(LinkRefused):
        links(OLD).unsign(token)


class Anything:
    """JSON with the numbers that are none."""

    dumps = staticmethod(json.dumps)
    loads = staticmethod(json.loads)


def signed(payload: object) -> str:
    """By our secret, whatever it holds."""
    how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return str(URLSafeSerializer(NEW, SALT, serializer=Anything, signer_kwargs=how).dumps(payload))


FAR_MS = 4_000_000_000_000


NO_TIMES: list[object] = [
    float("inf"), float("-inf"), float("nan"), 1e300, True, None, "1", "", [], {}, 10**400, -(2**53),
]  # fmt: skip


@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("value", NO_TIMES)
def test_times_that_are_none(name: str, value: object) -> None:
    """Signed as they are: no error of ours."""
    with pytest.raises(LinkRefused):
        links().unsign(signed(PAYLOAD | {"iat": 0, "exp": FAR_MS} | {name: value}))


@pytest.mark.parametrize("payload", [None, 5, "text", [], [1], True, {}, {"iat": 1}, {"exp": FAR_MS}])
def test_payloads_that_are_none(payload: object) -> None:
    with pytest.raises(LinkRefused):
        links().unsign(signed(payload))


def test_times_that_are_fractions() -> None:
    """Are numbers, too."""
    assert links().unsign(signed(PAYLOAD | {"iat": 0.5, "exp": FAR_MS + 0.5})) == PAYLOAD


@pytest.mark.parametrize("place", [0, 5, -30])
def test_a_changed_token_is_refused(place: int) -> None:
    """Any character: of the payload or of the signature."""
    token, _ = links().sign(PAYLOAD)
    characters = list(token)
    characters[place] = "A" if characters[place] != "A" else "B"
    with pytest.raises(LinkRefused):
        links().unsign("".join(characters))


@pytest.mark.parametrize("token", ["", ".", "é", "a.b.c", "null", "x" * 10_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    """Whatever stands there."""
    with pytest.raises(LinkRefused):
        links().unsign(token)


@pytest.mark.parametrize("payload", [{}, [], "text", {"iat": 1}, {"iat": "x", "exp": "y"}, {"iat": None, "exp": 5}])
def test_a_signed_token_without_times_is_refused(payload: object) -> None:
    """Signed with our secret and salt by something that is no link."""
    serializer = URLSafeSerializer(
        NEW, salt=SALT, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )
    with pytest.raises(LinkRefused):
        links().unsign(str(serializer.dumps(payload)))


def test_another_use_of_the_secret_signs_no_links() -> None:
    """The salt is our own."""
    token = URLSafeSerializer(NEW).dumps({"iat": 1_700_000_000_000, "exp": 1_700_000_100_000})
    with pytest.raises(LinkRefused):
        links().unsign(json.loads(json.dumps(token)))
