"""What Kuzzle's clients ask when they connect, and requests as messages."""

import pytest
from flask.testing import FlaskClient


def test_the_public_api_lists_both_routes_of_an_export(client: FlaskClient) -> None:
    """The SDK takes the shortest url, and so the POST."""
    response = client.get("/_publicApi")
    routes = response.get_json()["result"]["device-manager/assets"]["exportMeasures"]["http"]
    path = "/_/device-manager/:engineId/assets/:_id/measures/_export"
    assert response.mimetype == "application/json"
    assert routes == [
        {"verb": "POST", "path": path, "url": path},
        {"verb": "GET", "path": f"{path}/:exportId", "url": f"{path}/:exportId"},
    ]


def test_the_old_way_to_the_public_api(client: FlaskClient) -> None:
    """`GET /` holds the same routes where older SDKs look for them."""
    found = client.get("/").get_json()["result"]["serverInfo"]["kuzzle"]["api"]["routes"]
    assert found == client.get("/_publicApi").get_json()["result"]


def test_nobody_is_the_anonymous_user(client: FlaskClient) -> None:
    """`auth:checkToken` and `auth:getCurrentUser` without a token."""
    checked = client.post("/_checkToken", json={}).get_json()["result"]
    assert checked == {"valid": True, "kuid": "-1", "expiresAt": None}
    assert client.get("/_me").get_json()["result"]["_id"] == "-1"


def test_a_message_over_http_is_the_same_request(client: FlaskClient) -> None:
    """All arguments at the root, `query` and `sort` in the body."""
    message = {
        "controller": "device-manager/assets",
        "action": "exportMeasures",
        "engineId": "e",
        "_id": "a",
        "size": 2,
        "body": {"query": {"exists": "values.temperature"}},
        "requestId": "r7",
        "volatile": {"a": 1},
    }
    envelope = client.post("/_query", json=message).get_json()
    assert (envelope["status"], envelope["requestId"], envelope["volatile"]) == (200, "r7", {"a": 1})
    assert envelope["result"]["estimatedRows"] == 2


@pytest.mark.parametrize(
    ("message", "status", "error_id"),
    [
        ({"controller": "document", "action": "search"}, 404, "api.process.controller_not_found"),
        ({"controller": "auth", "action": "login"}, 404, "api.process.action_not_found"),
        ({"action": "search"}, 400, "api.assert.missing_argument"),
        ({"controller": 5, "action": "search"}, 400, "api.assert.invalid_type"),
        ({"controller": "device-manager/assets", "action": "exportMeasures", "_id": "a"},
         400, "api.assert.missing_argument"),
        ({"controller": "auth", "action": "checkToken", "requestId": 5}, 400, "api.assert.invalid_type"),
        ([], 400, "api.assert.invalid_argument"),
        (None, 400, "api.assert.invalid_argument"),
    ],
)  # fmt: skip
def test_messages_that_are_refused(client: FlaskClient, message: object, status: int, error_id: str) -> None:
    """With Kuzzle's ids."""
    response = client.post("/_query", json=message)
    assert (response.status_code, response.get_json()["error"]["id"]) == (status, error_id)


def test_volatile_data_come_back(client: FlaskClient) -> None:
    """From a header, over HTTP; what is no JSON is refused by name."""
    good = client.post("/_checkToken", headers={"X-Kuzzle-Volatile": '{"sdkName": "js@7"}'}).get_json()
    bad = client.post("/_checkToken", headers={"X-Kuzzle-Volatile": "{"}).get_json()
    assert (good["status"], good["volatile"]) == (200, {"sdkName": "js@7"})
    assert (bad["status"], bad["error"]["props"]["argument"]) == (400, "volatile")


def test_unknown_urls_are_envelopes(client: FlaskClient) -> None:
    """404 with Kuzzle's id."""
    response = client.get("/nope")
    assert (response.status_code, response.get_json()["error"]["id"]) == (404, "network.http.url_not_found")


def test_pages_of_other_origins_may_prepare(client: FlaskClient) -> None:
    """A preflight, then what an answer exposes."""
    path = "/_/device-manager/e/assets/a/measures/_export"
    preflight = client.options(path, headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "X-Kuzzle-Volatile" in preflight.headers["Access-Control-Allow-Headers"]
    answer = client.post(path, headers={"Origin": "https://app.example"})
    assert answer.headers["Access-Control-Expose-Headers"] == "Content-Disposition, X-Kuzzle-Request-Id"
    assert "Origin" in answer.headers["Vary"]
