"""Elasticsearch's own client, with answers kept as bytes, and its errors told apart."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from elastic_transport import ConnectionError, ConnectionTimeout, Serializer, TlsError, TransportError
from elasticsearch import ApiError, Elasticsearch

from services.errors import StoreUnavailable
from services.stores.elasticsearch.retries import Temporary

JSON = dict[str, Any]

#: Statuses that may go better next time.
TEMPORARY = frozenset((429, 502, 503, 504))

#: Connections are made when needed. The pool blocks when they are all in use, and that wait heeds no timeout: so many
#: that this does not happen (a download has a few requests under way, and a process has 1000 downloads at most).
CONNECTIONS = 4096

#: Readiness: a client of its own, and seconds that it waits.
READY_CONNECTIONS, READY_SECONDS = 16, 3.0

#: Characters of an answer that is quoted in an error.
QUOTED = 500

HEADERS = {"accept": "application/json", "content-type": "application/json"}


class Refused(Exception):
    """Elasticsearch's answer is no, and will be: `status` (HTTP), `type` and `reason` are its own."""

    def __init__(self, status: int, type: str, reason: str) -> None:
        super().__init__(f"{status} {type}: {reason}")
        self.status = status
        self.type = type
        self.reason = reason


class Bytes(Serializer):
    """Answers stay as they are: a page is decoded straight into structs, when its turn comes."""

    mimetype = "application/json"

    def loads(self, data: bytes) -> bytes:
        return data

    def dumps(self, data: Any) -> bytes:
        return msgspec.json.encode(data)


class Client:
    """Connects when first asked: a client must be made after the process has forked."""

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
        self._options: JSON = {
            "hosts": list(urls),
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

    def ask(self, method: str, path: str, body: Any = None, *, wait_seconds: float | None = None) -> bytes:
        """The body of the answer. `wait_seconds`: the client's own unless told.

        Raises `Temporary`, `Refused`, `StoreUnavailable`.
        """
        try:
            answer: Any = self._client(wait_seconds).perform_request(method, path, headers=HEADERS, body=body).body
        except ApiError as error:
            raise told(error) from error
        except ConnectionTimeout as error:
            raise Temporary("no answer in time") from error
        except (ConnectionError, TlsError) as error:
            raise Temporary(f"no connection ({error.message})") from error
        except TransportError as error:
            raise StoreUnavailable(f"Elasticsearch: {error}") from error
        return bytes(answer)

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    def _client(self, wait_seconds: float | None) -> Elasticsearch:
        with self._making:
            if self._made is None:
                self._made = Elasticsearch(**self._options)
        if wait_seconds in (None, self.timeout_seconds):
            return self._made
        return self._made.options(request_timeout=wait_seconds)  # costs 0.7 ms


def told(error: ApiError) -> Exception:
    """What an answer of 400 and above means."""
    type, reason = why(error.body)
    if error.status_code in TEMPORARY:
        return Temporary(f"{error.status_code} {type}: {reason}")
    return Refused(error.status_code, type, reason)


def why(body: Any) -> tuple[str, str]:
    """Type and reason of an error: of what caused it on a shard, where that is told."""
    try:
        error = json.loads(body)["error"]
        cause = deepest((error.get("root_cause") or [error])[0])
        return str(cause["type"]), str(cause["reason"])
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        text = bytes(body or b"").decode("utf-8", "replace") if isinstance(body, bytes | None) else str(body)
        return "error", text[:QUOTED] or "without a word"


def deepest(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """The innermost cause has the words that help."""
    while isinstance(error.get("caused_by"), dict):
        error = error["caused_by"]
    return error
