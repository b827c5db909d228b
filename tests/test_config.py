"""Every wrong or missing setting is told at start, all together."""

from pathlib import Path

import pytest

from config import SettingsError, from_env

SECRET = "s" * 32
ELASTICSEARCH = {"ELASTICSEARCH_URL": "http://localhost:9200", "LINK_SECRETS": SECRET, "AUTH": "anonymous"}
USER = {"ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p"}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        from_env(environ)
    return caught.value.problems


def test_nothing_set_means_the_embedded_store_for_everybody() -> None:
    """A newcomer sets nothing."""
    settings = from_env({})
    assert settings.embedded
    assert (settings.port, settings.host, settings.auth) == (7512, "127.0.0.1", ("anonymous",))
    assert (settings.link_ttl_seconds, settings.prefetch_bytes) == (120, 64 * 1024 * 1024)


def test_an_empty_variable_is_an_absent_one() -> None:
    """Compose files write VAR= for what is not set."""
    assert from_env({"PORT": "", "ELASTICSEARCH_URL": " "}) == from_env({})


def test_elasticsearch_needs_secrets_and_auth() -> None:
    """Never silently anonymous, and every replica signs alike."""
    found = problems({"ELASTICSEARCH_URL": "http://localhost:9200"})
    assert [problem.split()[0] for problem in found] == ["LINK_SECRETS", "AUTH"]


def test_several_nodes_and_secrets_are_comma_separated() -> None:
    """Order is kept: the first secret signs."""
    settings = from_env(
        ELASTICSEARCH | {"ELASTICSEARCH_URL": "http://a:9200, https://b:9200/", "LINK_SECRETS": f"{SECRET},{'t' * 32}"}
    )
    assert settings.elasticsearch_urls == ("http://a:9200", "https://b:9200")
    assert settings.link_secrets == (SECRET, "t" * 32)


def test_all_problems_are_told_together() -> None:
    """One start, one list."""
    found = problems(
        {
            "PORT": "http",
            "LINK_SECRETS": "short",
            "LINK_TTL_SECONDS": "-1",
            "DEFAULT_LANG": "sql",
            "PUBLIC_URL": "example.org",
            "CSV_FORMULA_GUARD": "no",
            "AUTH": "open",
        }
    )
    names = ["PORT", "LINK_TTL_SECONDS", "DEFAULT_LANG", "PUBLIC_URL", "CSV_FORMULA_GUARD", "LINK_SECRETS", "AUTH"]
    assert [problem.split()[0] for problem in found] == names


def test_what_else_is_wrong_is_told_with_the_rest() -> None:
    """Who starts the service looks into what settings name."""
    with pytest.raises(SettingsError) as caught:
        from_env({"PORT": "x"}, lambda settings: [f"HOST {settings.host} is gone."])
    assert [problem.split()[0] for problem in caught.value.problems] == ["PORT", "HOST"]


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"ELASTICSEARCH_USERNAME": "u"}, "ELASTICSEARCH_USERNAME"),
        (USER | {"ELASTICSEARCH_API_KEY": "k"}, "ELASTICSEARCH_API_KEY"),
        ({"ELASTICSEARCH_URL": "localhost:9200"}, "ELASTICSEARCH_URL"),
        ({"ELASTICSEARCH_URL": "http://h:port"}, "ELASTICSEARCH_URL"),
        ({"AUTH": "anonymous,ldap"}, "AUTH"),
        ({"AUTH": "kuzzle-jwt"}, "KUZZLE_JWT_SECRET"),
        ({"AUTH": "api-keys"}, "API_KEYS_FILE"),
        ({"AUTH": "kuzzle"}, "KUZZLE_URL"),
        ({"AUTH": "kuzzle", "KUZZLE_URL": "kuzzle:7512"}, "KUZZLE_URL"),
        ({"AUTH": "kuzzle", "KUZZLE_URL": "ws://kuzzle:7512"}, "KUZZLE_URL"),
        ({"PREFETCH_BYTES": "64M"}, "PREFETCH_BYTES"),
        ({"STALLED_CLIENT_SECONDS": "0"}, "STALLED_CLIENT_SECONDS"),
        ({"WEB_CONCURRENCY": "none"}, "WEB_CONCURRENCY"),
        ({"CORS_ORIGINS": ","}, "CORS_ORIGINS"),
        ({"CORS_ORIGINS": "https://app.example/path"}, "CORS_ORIGINS"),
        ({"CORS_ORIGINS": "https://app.example/"}, "CORS_ORIGINS"),
        ({"CORS_ORIGINS": "https://user@app.example"}, "CORS_ORIGINS"),
        ({"CORS_ORIGINS": "https://App.example"}, "CORS_ORIGINS"),
        ({"CORS_ORIGINS": "*, app.example"}, "CORS_ORIGINS"),
        ({"PUBLIC_URL": "https://user:password@export.example"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://export.example/?"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://export.example/#"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://export.example/a b"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://exp ort.example"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://é.example"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://export.example:0"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://[fe80::1%25eth0]:7512"}, "PUBLIC_URL"),
        ({"ADMIN_INDEX": "Device"}, "ADMIN_INDEX"),
        ({"ADMIN_INDEX": "device,manager"}, "ADMIN_INDEX"),
        ({"ADMIN_INDEX": "device*"}, "ADMIN_INDEX"),
        ({"HOST": "localhost:7512"}, "HOST"),
        ({"HOST": "http://localhost"}, "HOST"),
        ({"HOST": "fe80::1%eth0"}, "HOST"),
        ({"HOST": "a b"}, "HOST"),
        ({"HOST": "é"}, "HOST"),
        ({"HOST": "[localhost]"}, "HOST"),
        ({"AUTH": "kuzzle-jwt", "KUZZLE_JWT_SECRET": "x"}, "KUZZLE_JWT_SECRET"),
        ({"AUTH": "kuzzle-jwt", "KUZZLE_JWT_SECRET": "x" * 15}, "KUZZLE_JWT_SECRET"),
        ({"AUTH": "kuzzle-jwt", "KUZZLE_JWT_SECRET": " \t\n "}, "KUZZLE_JWT_SECRET"),
        ({"AUTH": "kuzzle-jwt,kuzzle", "KUZZLE_JWT_SECRET": "x", "KUZZLE_URL": "http://k"}, "KUZZLE_JWT_SECRET"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(extra: dict[str, str], name: str) -> None:
    """The sentence begins with the variable."""
    assert [problem.split()[0] for problem in problems(ELASTICSEARCH | extra)] == [name]


@pytest.mark.parametrize("value", [",", " , ", ",,"])
@pytest.mark.parametrize("name", ["AUTH", "LINK_SECRETS", "ELASTICSEARCH_URL", "CORS_ORIGINS"])
def test_commas_alone_are_no_absent_list(name: str, value: str) -> None:
    """Else `AUTH=,` would let everybody in."""
    assert [problem.split()[0] for problem in problems({name: value})] == [name]


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("::", "::"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("0.0.0.0", "0.0.0.0"),
        ("localhost", "localhost"),
        ("measures_export", "measures_export"),
        ("a-b.example.", "a-b.example."),
    ],
)
def test_hosts(value: str, host: str) -> None:
    """Addresses of both kinds, with or without brackets, and names."""
    assert from_env({"HOST": value}).host == host


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("https://export.example/", "https://export.example"),
        ("http://measures_export:7512/a%20b/", "http://measures_export:7512/a%20b"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_public_urls(value: str, url: str) -> None:
    """Whatever a link can begin with."""
    assert from_env({"PUBLIC_URL": value}).public_url == url


def test_origins() -> None:
    """As browsers write them, pages without one and of apps included."""
    value = "https://app.example:8443, http://[::1]:80, null, capacitor://localhost"
    assert from_env({"CORS_ORIGINS": value}).cors_origins == tuple(value.split(", "))


def test_a_secret_of_kuzzle_that_is_not_used_may_be_anything() -> None:
    """`AUTH` does not name it."""
    assert from_env({"KUZZLE_JWT_SECRET": "x"}).kuzzle_jwt_secret == "x"
    assert from_env({"AUTH": "kuzzle-jwt", "KUZZLE_JWT_SECRET": "x" * 16}).auth == ("kuzzle-jwt",)


def test_a_database_that_is_a_folder(tmp_path: Path) -> None:
    """It has to be a file in one."""
    assert problems({"SQLITE_PATH": str(tmp_path)}) == [f"SQLITE_PATH must name a file; {tmp_path} is a folder."]
    assert from_env(ELASTICSEARCH | {"SQLITE_PATH": str(tmp_path)}).sqlite_path == str(tmp_path)
