"""Settings: every environment variable, its default and meaning. Read here only.

Times are seconds, sizes bytes. A setting that is a secret has no default.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import quote, urlsplit

from services.hosts import authority, listening
from services.index_names import is_index
from services.query_languages import LANGS, Lang

Value = TypeVar("Value")

AUTH_WAYS = ("anonymous", "kuzzle-jwt", "api-keys", "kuzzle")

#: Characters that a link secret has at least.
SECRET_LENGTH = 32

#: Characters that Kuzzle's secret has at least. RFC 7518 wants 32 bytes for HS256, and Kuzzle makes 128 where none is
#: set; a shorter one of one's own is guessed from any token, which whoever has one can try as fast as they like.
JWT_SECRET_LENGTH = 16

#: What stands in a URL as it is, beside letters, digits and `-._~`; without `?` and `#`, which end its path.
URL_CHARACTERS = "!$&'()*+,/:;=@%[]"

#: An origin as a browser writes it in the header `Origin`: no path, no slash at its end.
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\sA-Z/?#@\\,]+")


class SettingsError(Exception):
    """All that is wrong with the environment, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`elasticsearch_urls` empty: the embedded store. `link_secrets` empty: one is made and kept (embedded only)."""

    port: int
    host: str
    workers: int
    elasticsearch_urls: tuple[str, ...]
    elasticsearch_api_key: str | None
    elasticsearch_username: str | None
    elasticsearch_password: str | None
    elasticsearch_ca_certs: str | None
    admin_index: str
    sqlite_path: str
    link_secrets: tuple[str, ...]
    link_ttl_seconds: int
    elasticsearch_timeout_seconds: int
    retry_budget_seconds: int
    prefetch_bytes: int
    stalled_client_seconds: int
    request_headers_seconds: int
    request_body_seconds: int
    default_lang: Lang
    public_url: str | None
    csv_formula_guard: bool
    signing_key_file: str | None
    auth: tuple[str, ...]
    kuzzle_jwt_secret: str | None
    kuzzle_url: str | None
    api_keys_file: str | None
    cors_origins: tuple[str, ...]

    @property
    def embedded(self) -> bool:
        return not self.elasticsearch_urls


#: What is wrong with settings, a sentence each.
Check = Callable[[Settings], list[str]]


def from_env(environ: Mapping[str, str], *more: Check) -> Settings:
    """Return the settings.

    Raises `SettingsError` with every wrong or missing setting together, and what `more` find wrong.
    """
    reader = EnvironmentReader(environ)
    urls = reader.urls("ELASTICSEARCH_URL")
    settings = Settings(
        port=reader.whole("PORT", 7512, least=1, most=65535),
        host=reader.host("HOST", "127.0.0.1"),
        workers=reader.whole("WEB_CONCURRENCY", 2, least=1, most=1000),
        elasticsearch_urls=urls,
        elasticsearch_api_key=reader.text("ELASTICSEARCH_API_KEY"),
        elasticsearch_username=reader.text("ELASTICSEARCH_USERNAME"),
        elasticsearch_password=reader.text("ELASTICSEARCH_PASSWORD"),
        elasticsearch_ca_certs=reader.text("ELASTICSEARCH_CA_CERTS"),
        admin_index=reader.index("ADMIN_INDEX", "device-manager"),
        sqlite_path=reader.text("SQLITE_PATH") or "var/measures.sqlite3",
        link_secrets=reader.listed("LINK_SECRETS"),
        link_ttl_seconds=reader.whole("LINK_TTL_SECONDS", 120, least=1, most=86_400),
        elasticsearch_timeout_seconds=reader.whole("ELASTICSEARCH_TIMEOUT_SECONDS", 30, least=1, most=3600),
        retry_budget_seconds=reader.whole("RETRY_BUDGET_SECONDS", 60, least=0, most=3600),
        prefetch_bytes=reader.whole("PREFETCH_BYTES", 64 * 1024 * 1024, least=0, most=2**40),
        stalled_client_seconds=reader.whole("STALLED_CLIENT_SECONDS", 60, least=1, most=86_400),
        request_headers_seconds=reader.whole("REQUEST_HEADERS_SECONDS", 10, least=1, most=3600),
        request_body_seconds=reader.whole("REQUEST_BODY_SECONDS", 30, least=1, most=3600),
        default_lang=cast(Lang, reader.choice("DEFAULT_LANG", LANGS)),
        public_url=reader.public_url("PUBLIC_URL"),
        csv_formula_guard=reader.choice("CSV_FORMULA_GUARD", ("on", "off")) == "on",
        signing_key_file=reader.text("SIGNING_KEY_FILE"),
        auth=reader.listed("AUTH") or (() if urls else ("anonymous",)),
        kuzzle_jwt_secret=reader.text("KUZZLE_JWT_SECRET"),
        kuzzle_url=reader.url("KUZZLE_URL"),
        api_keys_file=reader.text("API_KEYS_FILE"),
        cors_origins=reader.origins("CORS_ORIGINS") or ("*",),
    )
    problems = reader.problems + [problem for check in (*CHECKS, *more) for problem in check(settings)]
    if problems:
        raise SettingsError(problems)
    return settings


class EnvironmentReader:
    """Takes variables one by one and keeps what is wrong with them. An empty variable is an absent one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def listed(self, name: str) -> tuple[str, ...]:
        """Return comma-separated values.

        Commas alone are wrong: what was meant to be there is missing.
        """
        value = self.text(name)
        found = tuple(part.strip() for part in (value or "").split(",") if part.strip())
        if value is not None and not found:
            return self._wrong(name, f"names nothing: {value!r}. Leave it empty if nothing is meant", ())
        return found

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if value.isascii() and value.isdigit() and len(value) < 20 and least <= int(value) <= most:
            return int(value)
        return self._wrong(name, f"must be a whole number from {least} to {most}, not {value!r}", default)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of the choices; the first is the default."""
        value = self.text(name) or choices[0]
        return value if value in choices else self._wrong(name, f"must be one of {', '.join(choices)}", choices[0])

    def host(self, name: str, default: str) -> str:
        value = self.text(name)
        found = default if value is None else listening(value)
        if found is None:
            what = f"must be an address, such as 0.0.0.0 or ::1, or a host name, without scheme and port; not {value!r}"
            return self._wrong(name, what, default)
        return found

    def index(self, name: str, default: str) -> str:
        value = self.text(name) or default
        if is_index(value):
            return value
        return self._wrong(name, f"must be the name of one index, in lower case; not {value!r}", default)

    def origins(self, name: str) -> tuple[str, ...]:
        found = self.listed(name)
        for value in found:
            if not _ORIGIN.fullmatch(value):
                what = "must be * or origins as browsers write them, such as https://app.example.com"
                return self._wrong(name, f"{what}, without path; not {value!r}", ())
        return found

    def public_url(self, name: str) -> str | None:
        """Return a URL that links can begin with: anybody may read it."""
        value = self.url(name)
        if value is None or is_link_prefix(value):
            return value
        return self._wrong(name, "must be a URL that links can begin with: no user and password, no query", None)

    def url(self, name: str) -> str | None:
        value = self.text(name)
        return value if value is None else self._checked_url(name, value)

    def urls(self, name: str) -> tuple[str, ...]:
        return tuple(self._checked_url(name, value) for value in self.listed(name))

    def _checked_url(self, name: str, value: str) -> str:
        try:
            parts = urlsplit(value)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if fine and not parts.query and not parts.fragment:
            return value.rstrip("/")
        return self._wrong(name, "must be made of http:// or https:// URLs without query", "http://invalid")

    def _wrong(self, name: str, what: str, default: Value) -> Value:
        self.problems.append(f"{name} {what}.")
        return default


def is_link_prefix(url: str) -> bool:
    parts = urlsplit(url)
    return authority(parts.netloc, parts.scheme) is not None and quote(url, safe=URL_CHARACTERS) == url


def check_link_secrets(settings: Settings) -> list[str]:
    problems = []
    if not settings.link_secrets and not settings.embedded:
        problems.append(
            "LINK_SECRETS is required with Elasticsearch: every replica must sign alike. "
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'."
        )
    if any(len(secret) < SECRET_LENGTH for secret in settings.link_secrets):
        problems.append(f"LINK_SECRETS must each have at least {SECRET_LENGTH} characters.")
    return problems


def check_credentials(settings: Settings) -> list[str]:
    problems = []
    if (settings.elasticsearch_username is None) != (settings.elasticsearch_password is None):
        problems.append("ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD go together.")
    if settings.elasticsearch_api_key and settings.elasticsearch_username:
        problems.append("ELASTICSEARCH_API_KEY and ELASTICSEARCH_USERNAME exclude each other.")
    return problems


def check_auth(settings: Settings) -> list[str]:
    if not settings.auth:
        return [
            "AUTH is required with Elasticsearch: it says who may export. "
            f"One or more of {', '.join(AUTH_WAYS)}, comma-separated; anonymous lets everybody."
        ]
    unknown = [way for way in settings.auth if way not in AUTH_WAYS]
    if unknown:
        return [f"AUTH knows {', '.join(AUTH_WAYS)}; not {', '.join(unknown)}."]
    needed = {
        "kuzzle-jwt": ("KUZZLE_JWT_SECRET", settings.kuzzle_jwt_secret),
        "api-keys": ("API_KEYS_FILE", settings.api_keys_file),
        "kuzzle": ("KUZZLE_URL", settings.kuzzle_url),
    }
    return [
        f"{name} is required by AUTH={way}."
        for way, (name, value) in needed.items()
        if way in settings.auth and not value
    ]


def check_jwt_secret(settings: Settings) -> list[str]:
    secret = settings.kuzzle_jwt_secret
    if "kuzzle-jwt" not in settings.auth or secret is None or len(secret) >= JWT_SECRET_LENGTH:
        return []
    return [
        f"KUZZLE_JWT_SECRET must have at least {JWT_SECRET_LENGTH} characters: a shorter one can be guessed from any "
        "token that it signed. Give your Kuzzle a longer security.authToken.secret."
    ]


def check_database(settings: Settings) -> list[str]:
    if settings.embedded and Path(settings.sqlite_path).is_dir():
        return [f"SQLITE_PATH must name a file; {settings.sqlite_path} is a folder."]
    return []


CHECKS: tuple[Check, ...] = (check_link_secrets, check_credentials, check_auth, check_jwt_secret, check_database)
