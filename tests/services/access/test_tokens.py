"""Kuzzle's tokens: which are good."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.access.tokens import Claims, Verifier, unverified_claims
from services.errors import TokenInvalid
from tests.services.access.conftest import HOUR, NOW, SECRET, token


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def by_hand(header: Any, payload: Any, *, secret: str = SECRET) -> str:
    """Signed with HS256 whatever the header says."""
    signed = f"{part(header)}.{part(payload)}"
    return f"kauth-{signed}.{part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


HS256 = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"_id": "bob", "iat": NOW, "exp": NOW + HOUR}


#: No times, as JSON.
ODD = [
    "null",
    '"1718000000"',
    "true",
    "false",
    "[]",
    "{}",
    "-1",
    "-0.5",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "1e300",
    "100000000000",
    "9" * 400,
]


def odd_times() -> Iterator[str]:
    """Names and values of tokens of which one time is none."""
    for name in ("exp", "nbf", "iat"):
        others = [f'"{other}": {value}' for other, value in (("iat", NOW), ("exp", NOW + HOUR)) if other != name]
        yield from (", ".join([*others, f'"{name}": {odd}']) for odd in ODD)


@pytest.mark.parametrize("secret", ["k", "kuzzle's own", "s" * 32, "s" * 63, "s" * 64, "s" * 65, "s" * 300, "clé"])
def test_a_signature_of_any_secret(secret: str) -> None:
    """As RFC 2104 has it, however short or long the secret is."""
    verifier = Verifier(secret, lambda: NOW)
    assert verifier.verify(by_hand(HS256, CLAIMS, secret=secret)) == Claims("bob", (NOW + HOUR) * 1000, None)


@pytest.mark.parametrize(
    "good",
    [
        token(),
        token({"iat": NOW + 5}),
        token({"iat": None}),
        token({"exp": NOW + 1}),
        token({"exp": NOW + 0.5}),
        token({"nbf": NOW}),
        token({"aud": "someone", "iss": "x", "sub": "y"}),
        token(headers={"kid": "1"}),
    ],
)
def test_good_tokens(good: str) -> None:
    """Kuzzle's clock may run before ours; claims that it does not use say nothing."""
    assert Verifier(SECRET, lambda: NOW).verify(good).kuid == "bob"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(token(secret="guessed"), id="forged"),
        pytest.param(token(secret=SECRET + "!"), id="another secret"),
        pytest.param(token()[:-4] + "AAAA", id="signature changed"),
        pytest.param(by_hand(HS256, CLAIMS).rpartition(".")[0] + ".", id="signature gone"),
        pytest.param(token({"exp": NOW}), id="expires now"),
        pytest.param(token({"exp": NOW - HOUR}), id="expired"),
        pytest.param(token({"exp": None}), id="no exp"),
        pytest.param(by_hand(HS256, CLAIMS | {"exp": "2100-01-01"}), id="exp is text"),
        pytest.param(by_hand(HS256, CLAIMS | {"exp": True}), id="exp is true"),
        pytest.param(by_hand(HS256, b'{"_id": "bob", "exp": 1e999}'), id="exp is infinite"),
        pytest.param(by_hand(HS256, b'{"_id": "bob", "exp": ' + b"9" * 400 + b"}"), id="exp is huge"),
        pytest.param(by_hand(HS256, b'{"_id": "bob", "exp": NaN}'), id="exp is NaN"),
        pytest.param(token({"nbf": NOW + 1}), id="not yet"),
        *(
            pytest.param(by_hand(HS256, b'{"_id": "bob", ' + times.encode() + b"}"), id=times[:60])
            for times in odd_times()
        ),
        pytest.param(token({"_id": None}), id="no _id"),
        pytest.param(token({"_id": ""}), id="empty _id"),
        pytest.param(token({"_id": 5}), id="_id is a number"),
        pytest.param(token({"_id": "bob\nadmin"}), id="_id would break a log line"),
        pytest.param(token(algorithm="HS384"), id="HS384"),
        pytest.param(token(algorithm="HS512"), id="HS512"),
        pytest.param(by_hand({"alg": "none"}, CLAIMS), id="alg none"),
        pytest.param(f"kauth-{part({'alg': 'none'})}.{part(CLAIMS)}.", id="alg none, unsigned"),
        pytest.param(f"kauth-{part({'alg': 'None'})}.{part(CLAIMS)}.", id="alg None, unsigned"),
        pytest.param(by_hand({"alg": "RS256"}, CLAIMS), id="RS256, signed with the secret as if it were a key"),
        pytest.param(by_hand({"alg": "ES256"}, CLAIMS), id="ES256"),
        pytest.param(by_hand({"alg": "hs256"}, CLAIMS), id="alg in lower case"),
        pytest.param(by_hand({"alg": ["HS256"]}, CLAIMS), id="alg is a list"),
        pytest.param(by_hand({}, CLAIMS), id="no alg"),
        pytest.param(by_hand({"alg": "HS256", "crit": ["x"], "x": 1}, CLAIMS), id="crit"),
        pytest.param(by_hand({"alg": "HS256", "crit": ["b64"], "b64": False}, CLAIMS), id="b64"),
        pytest.param(by_hand(b"[" * 2500, CLAIMS), id="header nested deep"),
        pytest.param(by_hand(HS256, b"[" * 2500), id="payload nested deep"),
        pytest.param(by_hand(HS256, [CLAIMS]), id="payload is a list"),
        pytest.param(by_hand(HS256, b"\xff"), id="payload is no JSON"),
        pytest.param(token(prefix="kapikey-"), id="Kuzzle's API key"),
        pytest.param(token(prefix=""), id="no prefix"),
        pytest.param(token(prefix="kauth-kauth-"), id="two prefixes"),
        pytest.param(token(prefix="KAUTH-"), id="prefix in upper case"),
        pytest.param("kauth-", id="prefix alone"),
        pytest.param("kauth-..", id="dots"),
        pytest.param("kauth-" + token(prefix="") + ".x", id="four parts"),
    ],
)
def test_bad_tokens(bad: str) -> None:
    """All the same to the caller."""
    with pytest.raises(TokenInvalid, match=r"^Invalid token\.$"):
        Verifier(SECRET, lambda: NOW).verify(bad)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (token(), Claims("bob", (NOW + HOUR) * 1000, None)),
        (token({"exp": None}, prefix="kapikey-"), Claims("bob", None, None)),
        (token(prefix=""), Claims("bob", (NOW + HOUR) * 1000, None)),
        (by_hand(HS256, b'{"_id": "bob", "exp": 1e308}'), Claims("bob", None, None)),
        ("opaque", Claims(None, None, None)),
        ("a.b.c", Claims(None, None, None)),
        ("kauth-..", Claims(None, None, None)),
        (by_hand(HS256, b"[" * 2500), Claims(None, None, None)),
    ],
)
def test_what_a_token_says_of_itself(given: str, said: Claims) -> None:
    """Whatever it is."""
    assert unverified_claims(given) == said
