"""What a peer that is no Elasticsearch, or none in its right mind, may answer: each in place of a sound answer."""

import copy
import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tests.support import proxy
from tests.support.proxy import Answer, Fault

PAGE = b"<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>"

PRODUCT = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}


def body(content: bytes, status: int = 200, **headers: str) -> Fault:
    """With Elasticsearch's own headers."""
    return lambda answer: Answer(
        status, {**PRODUCT, **{name.replace("_", "-"): value for name, value in headers.items()}}, content
    )


def raw(text: bytes, pause_seconds: float = 0) -> Fault:
    return lambda answer: replace(answer, raw=text, pause_seconds=pause_seconds)


def error(status: int, type: str, reason: str) -> Fault:
    """As Elasticsearch words it."""
    cause = {"type": type, "reason": reason}
    return body(json.dumps({"error": {"root_cause": [cause], **cause}, "status": status}).encode(), status)


def head(answer: Answer, *lines: str) -> bytes:
    """Of the sound answer, with more header lines."""
    own = [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", *own, *lines, f"Content-Length: {len(answer.body)}", "", ""]).encode()


def many_headers(answer: Answer) -> Answer:
    return replace(answer, raw=head(answer, *(f"x-{number}: y" for number in range(300))) + answer.body)


def long_header(answer: Answer) -> Answer:
    return replace(answer, raw=head(answer, "x-long: " + "y" * 100_000) + answer.body)


def cut_short(answer: Answer) -> Answer:
    """Ends in the middle, with a length that fits."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def ends_early(answer: Answer) -> Answer:
    return replace(answer, raw=head(answer) + answer.body[:-1])


def bad_chunks(answer: Answer) -> Answer:
    return replace(answer, raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + answer.body)


def no_product(answer: Answer) -> Answer:
    """Sound, but of nobody that says who it is: and cut."""
    return Answer(200, {"content-type": "application/json"}, answer.body[:-1])


SECURITY = "action [indices:data/read/search] is unauthorized for user [exporter] with effective roles [secret_role]"

#: Never what an export can be made of.
ODD: dict[str, Fault] = {
    "a page of HTML": proxy.gateway(200),
    "a page of HTML from Elasticsearch": body(PAGE, content_type="text/html"),
    "a page of HTML as JSON": body(PAGE),
    "an image": body(b"\x89PNG\r\n", content_type="image/png"),
    "no content type that is one": body(PAGE, content_type=";;"),
    "301": body(b"", 301, location="http://127.0.0.1:9/"),
    "302 with a page": body(PAGE, 302, location="/", content_type="text/html"),
    "307 to itself": body(b"", 307, location="/_search"),
    "304": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "204": raw(b"HTTP/1.1 204 No Content\r\nX-Elastic-Product: Elasticsearch\r\n\r\n"),
    "202": body(b"", 202),
    "299": body(b"{}", 299),
    "nothing": body(b""),
    "a space": body(b" "),
    "null": body(b"null"),
    "a list": body(b"[]"),
    "a list of nulls": body(b"[null]"),
    "an object": body(b"{}"),
    "a number": body(b"7"),
    "no number": body(b"NaN"),
    "an enormous number": body(b"9" * 5000),
    "a text": body(b'"yes"'),
    "true": body(b"true"),
    "two objects": body(b"{}{}"),
    "a deep list": body(b"[" * 100_000 + b"]" * 100_000),
    "a deep object": body(b'{"hits":' * 100_000 + b"1" + b"}" * 100_000),
    "no Unicode": body(b'{"\xff\xfe": 1}'),
    "half of it": cut_short,
    "all but its end": proxy.no_json,
    "an error with 200": error(200, "illegal_state_exception", "not today"),
    "garbage as gzip": body(b"garbage", content_encoding="gzip"),
    "half of gzip": body(gzip.compress(b"{}" * 500)[:-9], content_encoding="gzip"),
    "garbage as deflate": body(b"garbage", content_encoding="deflate"),
    "many headers": many_headers,
    "a long header": long_header,
    "fewer bytes than told": ends_early,
    "chunks that are none": bad_chunks,
    "a length that is none": raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
    "a status that is none": raw(b"HTTP/1.1 many OK\r\n\r\n{}"),
    "a status of four digits": raw(b"HTTP/1.1 2000 OK\r\n\r\n{}"),
    "no HTTP": raw(b"220 mail.example ESMTP\r\n"),
    "nobody": raw(b""),
    "of nobody who says so": no_product,
    "400 without a word": body(b"", 400),
    "400 and deep": body(b'{"error":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "400 of a list": body(b"[]", 400),
    "400 of a gateway": proxy.gateway(400),
    "a closed index": error(400, "index_closed_exception", "closed"),
    "401": error(401, "security_exception", "missing authentication credentials for REST request [/_search]"),
    "403": error(403, "security_exception", SECURITY),
    "403 of a gateway": proxy.gateway(403),
    "a blocked index": error(403, "cluster_block_exception", "index [m] blocked by: [FORBIDDEN/7/index read (api)];"),
    "404 of a gateway": proxy.gateway(404),
    "405": body(b'{"error": "Incorrect HTTP method", "status": 405}', 405),
    "407": proxy.gateway(407),
    "408": proxy.gateway(408),
    "413": proxy.gateway(413),
    "418": body(b"I am a teapot", 418, content_type="text/plain"),
    "429 of a circuit breaker": error(429, "circuit_breaking_exception", "[parent] Data too large"),
    "451": proxy.gateway(451),
    "500": error(500, "null_pointer_exception", "null"),
    "500 of a gateway": proxy.gateway(500),
    "501": proxy.gateway(501),
    "503": error(503, "no_shard_available_action_exception", "no shard available"),
    "504 of a search": error(504, "search_timeout_exception", "Time exceeded"),
    "511": proxy.gateway(511),
    "599": proxy.gateway(599),
}  # fmt: skip

#: Values that stand in for others, each in place of those of another type.
STRANGERS: tuple[Any, ...] = (None, [], {}, "x", True, -1, 1.5, 10**30, [[]], {"a": None})

#: Keys within keys where nothing is right as well: the parts of a bucket.
NULLABLE = frozenset((("key", "name"), ("key", "type")))

#: Not a peer's words but a measure's own, of which any value is right; and what only people read.
ANY_VALUE = frozenset(("_source", "took", "max_score", "_index", "_score", "_version", "aliases"))


def paths(content: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """To each value but the first: of lists, only the first is looked into."""
    for key, value in inner(content):
        if key not in ANY_VALUE:
            yield (*way, key)
            yield from paths(value, (*way, key))


def inner(content: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(content, dict):
        return content.items()
    return enumerate(content[:1]) if isinstance(content, list) else ()


def at(content: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        content = content[key]
    return content


def without(content: Any, way: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(content)
    del at(changed, way[:-1])[way[-1]]
    return changed


def changed(content: Any, way: tuple[Any, ...], value: Any) -> Any:
    found = copy.deepcopy(content)
    at(found, way[:-1])[way[-1]] = value
    return found


def misshapen(content: Any) -> Iterator[tuple[str, Any]]:
    """Each key left out, and each value replaced by one of another type; with a name."""
    for way in paths(content):
        name = ".".join(map(str, way))
        yield f"without {name}", without(content, way)
        for value in STRANGERS:
            if value is None and way[-2:] in NULLABLE:
                continue
            if type(value) is not type(at(content, way)) or (isinstance(value, int) and not 0 <= value < 2**63):
                yield f"{name} = {value!r}", changed(content, way, value)
