"""The client of Elasticsearch: sends a request, returns the bytes of the answer, tells errors apart.

There are three kinds: what may go better next time (`Temporary`; `Late` when time ran out), what
Elasticsearch refuses (`Refused`, a 503 unless somebody shows that the caller asked for it), and who
is no Elasticsearch.
"""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from elastic_transport import ConnectionError, ConnectionTimeout, Serializer, TlsError, TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from services.errors import StoreUnavailable
from services.stores.elasticsearch.transport.exchanges import Exchange, Exchanges, node_class
from services.stores.elasticsearch.transport.retries import Late, Temporary

log = logging.getLogger(__name__)

JSON = dict[str, Any]

#: Statuses that may go better next time.
TEMPORARY = frozenset((408, 429, 502, 503, 504))

#: Of these, the one that tells that somebody waited in vain.
GATEWAY_TIMEOUT = 504

#: Statuses that mean that the service itself may not; a block of an index has them too.
NOT_ALLOWED = frozenset((401, 403))
BLOCKED = "cluster_block_exception"

#: A limit, whatever status a version gives it (503 before 8).
TOO_MANY_BUCKETS = "too_many_buckets_exception"

#: Connections are made when needed. The pool blocks when they are all in use, and that wait heeds no timeout: so many
#: that this does not happen (a download has a few requests under way, and a process has 1000 downloads at most).
CONNECTIONS = 4096

#: Characters of an answer that is quoted in an error.
QUOTED = 500

#: How many times longer than its beginning the whole of an answer is awaited: a page has megabytes, and lines are slow.
WHOLE_TIMES = 4

#: Of the seconds that an answer is awaited, those that Elasticsearch has for a search; the rest is for the way back.
SEARCHING = 0.9

#: Type of an error that is not in Elasticsearch's own words.
WORDLESS = "error"

#: What a search may be refused for, with 400 too, whatever was searched for.
OWN_STATE = frozenset((WORDLESS, BLOCKED, TOO_MANY_BUCKETS, "index_closed_exception", "circuit_breaking_exception"))

HEADERS = {"accept": "application/json", "content-type": "application/json"}


class Refused(StoreUnavailable):
    """Elasticsearch refuses, and will again: `http_status`, `type` and `reason` are its own.

    As it stands it is a 503: whose fault it was is to be shown before a caller is told another
    status.
    """

    def __init__(self, status: int, type: str, reason: str) -> None:
        super().__init__(refusal(status, type, reason))
        self.http_status = status
        self.type = type
        self.reason = reason

    @property
    def may_be_asked_for(self) -> bool:
        """Whether a caller may have asked for what is refused."""
        return self.http_status == 400 and self.type not in OWN_STATE


class Bytes(Serializer):
    """Leaves answers as they are: a page is decoded straight into structs, when its turn comes."""

    mimetype = "application/json"

    def loads(self, data: bytes) -> bytes:
        return data

    def dumps(self, data: Any) -> bytes:
        return bytes(data)


class Client:
    """Asks one cluster. Connects when first asked: a client must be made after the process has forked."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout_seconds: float,
        connections: int = CONNECTIONS,
        api_key: str | None = None,
        basic_auth: tuple[str, str] | None = None,
        ca_certs: str | None = None,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self._exchanges = Exchanges()
        self._options: JSON = {
            "hosts": list(urls),
            "node_class": node_class(self._exchanges),
            "connections_per_node": connections,
            "serializers": dict.fromkeys(("application/json", "application/*", "text/*"), Bytes()),
            "api_key": api_key,
            "basic_auth": basic_auth,
            "max_retries": 0,
            "request_timeout": timeout_seconds,
            **({"ca_certs": ca_certs} if ca_certs else {}),
        }
        self._made: Elasticsearch | None = None
        self._making = threading.Lock()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        wait_seconds: float | None = None,
        whole_times: float = 1,
        ended: threading.Event | None = None,
    ) -> bytes:
        """Return the body of the answer.

        `wait_seconds`: how long its beginning is awaited; `None`: the client's own. `whole_times`:
        how many times longer the whole is awaited. `ended`: set when nobody waits any more; the
        connection is closed then, as when time runs out, and Elasticsearch cancels the search.
        Raises `Late`, `Temporary`, `Refused`.
        """
        seconds = self.timeout_seconds if wait_seconds is None else wait_seconds
        content = None if body is None else msgspec.json.encode(body)
        exchange = Exchange(seconds * whole_times, ended)
        try:
            with self._exchanges.watched(exchange):
                answer: Any = self._client(seconds).perform_request(method, path, headers=HEADERS, body=content).body
        except Exception as error:  # whatever comes over a wire: odd headers, chunks and codings raise all kinds
            raise meaning(error, exchange, seconds) from error
        if exchange.was_cut:  # within its headers, where an end looks like any other
            raise late(seconds)
        return bytes(answer or b"")

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    def _client(self, wait_seconds: float) -> Elasticsearch:
        with self._making:
            if self._made is None:
                self._made = Elasticsearch(**self._options)
        if wait_seconds == self.timeout_seconds:
            return self._made
        return self._made.options(request_timeout=wait_seconds)  # costs 0.7 ms


def timed(body: JSON, wait_seconds: float) -> JSON:
    """Return a search that Elasticsearch itself ends before nobody awaits it any more."""
    return {**body, "timeout": f"{max(1, int(wait_seconds * SEARCHING * 1000))}ms"}


def late(seconds: float) -> Late:
    return Late(f"no answer in time ({seconds:.3g} s)")


def meaning(error: Exception, exchange: Exchange, seconds: float) -> Exception:
    """Return the error that an exchange that failed stands for."""
    if exchange.was_cut or (isinstance(error, ConnectionTimeout) and exchange.is_sent):
        return late(seconds)
    if isinstance(error, ConnectionTimeout):
        return Temporary(f"no connection in time ({seconds:.3g} s)")
    if isinstance(error, UnsupportedProductError):
        return Temporary(f"who answers is not Elasticsearch: {why(error.body)[1]}")
    if isinstance(error, ApiError):
        found = told(error)
        return Late(f"{found} ({seconds:.3g} s)") if isinstance(found, Late) else found
    if isinstance(error, ConnectionError | TlsError):
        return Temporary(f"no connection ({error.message})")
    words = error.message if isinstance(error, TransportError) else f"{type(error).__name__}: {error}"
    return Temporary(f"an answer cannot be read ({words})")


def told(error: ApiError) -> Exception:
    """Return the error that an answer without success stands for."""
    type, reason = why(error.body)
    if error.status_code in TEMPORARY and type != TOO_MANY_BUCKETS:
        kind = Late if error.status_code == GATEWAY_TIMEOUT else Temporary
        return kind(f"{error.status_code} {type}: {reason}")
    return refused(error.status_code, type, reason)


def refused(status: int, type: str, reason: str) -> Refused:
    """Return a refusal, and log it when the service lacks a right: what that is called is for the log only."""
    if is_not_allowed(status, type):
        log.error("Elasticsearch does not let the service read: %d %s: %s", status, type, reason)
    return Refused(status, type, reason)


def refusal(status: int, type: str, reason: str) -> str:
    """Return the words of a refusal for a caller: who the service is, and what it may, is not for them."""
    if is_not_allowed(status, type):
        return f"Elasticsearch does not let the service read ({status}); the service's log tells which right it lacks."
    if 300 <= status < 400:
        return f"Elasticsearch is not there: who answers redirects ({status}). The service does not follow."
    return f"Elasticsearch refuses: {status} {type}: {reason}"


def is_not_allowed(status: int, type: str) -> bool:
    return status in NOT_ALLOWED and type != BLOCKED


def why(body: Any) -> tuple[str, str]:
    """Return type and reason of an error: of what caused it on a shard, where that is told."""
    try:
        error = json.loads(body)["error"]
        cause = deepest((error.get("root_cause") or [error])[0])
        return str(cause["type"]), str(cause["reason"])
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        text = bytes(body or b"").decode("utf-8", "replace") if isinstance(body, bytes | None) else str(body)
        return WORDLESS, text[:QUOTED] or "without a word"


def deepest(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the innermost cause, which has the words that help."""
    while isinstance(error.get("caused_by"), dict):
        error = error["caused_by"]
    return error
