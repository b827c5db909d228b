"""Every wrong or missing setting is told at start, all together."""

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
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(extra: dict[str, str], name: str) -> None:
    """The sentence begins with the variable."""
    assert [problem.split()[0] for problem in problems(ELASTICSEARCH | extra)] == [name]
