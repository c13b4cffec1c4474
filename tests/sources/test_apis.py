"""The APIs of providers: how each is asked, in pages, and what stands for where a pull ended."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from providers import Asked, Provider, Reply, serving
from requests import Request

from monitor.sources.apis import auth0, duo, entra, google_workspace, okta
from monitor.sources.apis.base import Access, PositionLostError, Start, windows
from monitor.sources.http import ApiError, RefusedError

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=30)
START = Start(SINCE, NOW)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider()) as provider:
        yield provider


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def token(name: str) -> Reply:
    return Reply({"access_token": name, "expires_in": 3600, "token_type": "Bearer"})


def test_okta_is_polled_along_its_links_until_a_page_is_empty(provider: Provider) -> None:
    def answer(asked: Asked) -> Reply:
        after = int(asked.query.get("after", "0"))
        link = f'<{provider.url}/api/v1/logs?limit=2&after={min(after + 2, 5)}>; rel="next"'
        return Reply([{"uuid": n} for n in range(after, min(after + 2, 5))], headers={"Link": link})

    provider.answer = answer
    access = Access(provider.url, "s3cret")
    pages = list(okta.read(access, START))
    assert [[record["uuid"] for record in page.records] for page in pages] == [[0, 1], [2, 3], [4], []]
    assert pages[-1].position == "/api/v1/logs?limit=2&after=5"
    first = provider.asked[0]
    assert first.headers["authorization"] == "SSWS s3cret"
    assert first.query["since"] == "2024-05-31T06:00:00.000Z"
    assert (first.query["sortOrder"], "until" in first.query) == ("ASCENDING", False)
    assert [page.records for page in okta.read(access, Start(SINCE, NOW, pages[-1].position))] == [[]]


def test_okta_takes_a_service_app_whose_token_reads_logs_only(provider: Provider, key: rsa.RSAPrivateKey) -> None:
    provider.answer = lambda asked: token("t1") if asked.method == "POST" else Reply([])
    list(okta.read(Access(provider.url, pem(key), client_id="0oa1"), START))
    form = provider.asked[0].form
    audience = f"{provider.url}/oauth2/v1/token"
    claims = jwt.decode(form["client_assertion"], key.public_key(), algorithms=["RS256"], audience=audience)
    assert (form["scope"], claims["iss"], claims["sub"]) == ("okta.logs.read", "0oa1", "0oa1")
    assert provider.asked[1].headers["authorization"] == "Bearer t1"


def test_auth0_begins_with_the_first_log_of_a_search_and_goes_on_by_checkpoint(provider: Provider) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/oauth/token":
            return token("t1")
        if "q" in asked.query:
            return Reply([{"log_id": "900", "_id": "900"}])
        after = int(asked.query["from"])
        logs = [{"log_id": str(n)} for n in range(after + 1, min(after + 3, 904))]
        onward = logs[-1]["log_id"] if logs else str(after)
        return Reply(logs, headers={"Link": f'<{provider.url}/api/v2/logs?from={onward}&take=2>; rel="next"'})

    provider.answer = answer
    access = Access(provider.url, "s3cret", client_id="me")
    pages = list(auth0.read(access, START))
    assert [[log["log_id"] for log in page.records] for page in pages] == [["900"], ["901", "902"], ["903"], []]
    assert pages[-1].position == "/api/v2/logs?from=903&take=2"
    assert provider.asked[0].form["audience"] == f"{provider.url}/api/v2/"
    assert provider.asked[1].query["q"] == 'date:["2024-05-31T06:00:00.000Z" TO *]'
    assert [page.records for page in auth0.read(access, Start(SINCE, NOW, "/api/v2/logs?from=903&take=2"))] == [[]]


def test_auth0_without_logs_has_no_position_yet(provider: Provider) -> None:
    provider.answer = lambda asked: token("t1") if asked.method == "POST" else Reply([])
    assert list(auth0.read(Access(provider.url, "s3cret", client_id="me"), START)) == []


@pytest.mark.parametrize("status", [400, 404, 410])
@pytest.mark.parametrize("api", [okta.read, auth0.read])
def test_a_position_that_is_known_no_more_is_told_apart(provider: Provider, api: object, status: int) -> None:
    def answer(asked: Asked) -> Reply:
        return token("t1") if asked.method == "POST" else Reply({"message": "no such cursor"}, status)

    provider.answer = answer
    access = Access(provider.url, "s3cret", client_id="" if api is okta.read else "me")
    with pytest.raises(PositionLostError, match=f"{status}: 'no such cursor'"):
        list(api(access, Start(SINCE, NOW, "/api/v2/logs?from=1")))  # type: ignore[operator]


def test_entra_is_listed_window_by_window_along_its_links(provider: Provider) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/contoso.example/oauth2/v2.0/token":
            return token("t1")
        if "$skiptoken" in asked.query:
            return Reply({"value": [{"id": 2}]})
        return Reply({"value": [{"id": 1}], "@odata.nextLink": f"{provider.url}{asked.path}?$skiptoken=x"})

    provider.answer = answer
    access = Access(provider.url, "s3cret", client_id="app", tenant=f"{provider.url}/contoso.example")
    pages = list(entra.read(access, START))
    ends = [SINCE + timedelta(days=1), NOW]
    assert [page.through for page in pages] == [None, ends[0], None, ends[1]]
    assert provider.asked[0].form["scope"] == f"{provider.url}/.default"
    assert provider.asked[1].query["$filter"] == (
        "createdDateTime ge 2024-05-31T06:00:00.000Z and createdDateTime le 2024-06-01T06:00:00.000Z"
    )
    assert {asked.headers["authorization"] for asked in provider.asked[1:]} == {"Bearer t1"}


def test_duo_is_listed_by_milliseconds_and_offset_and_every_request_is_signed(provider: Provider) -> None:
    def answer(asked: Asked) -> Reply:
        more = None if "next_offset" in asked.query else ["1717200000000", "af0ba235"]
        logs = {"authlogs": [{"txid": "a"}], "metadata": {"next_offset": more}}
        return Reply({"stat": "OK", "response": logs})

    provider.answer = answer
    pages = list(duo.read(Access(provider.url, "s3cret", client_id="DIKEY"), START))
    assert [page.through for page in pages] == [None, SINCE + timedelta(days=1), None, NOW]
    assert provider.asked[0].query["mintime"] == str(int(SINCE.timestamp() * 1000))
    assert provider.asked[1].query["next_offset"] == "1717200000000,af0ba235"
    assert all(asked.headers["authorization"].startswith("Basic ") for asked in provider.asked)


def test_the_signature_of_duo_is_that_of_its_own_client() -> None:
    # duo_client 5.x: sign("DIKEY", "s3cret", "GET", host, path, date, 5, params, body="")
    url = "https://api-1.duosecurity.com/admin/v2/logs/authentication?sort=ts%3Aasc&next_offset=17,a~b&limit=1000"
    request = duo.signed(Request("GET", url).prepare(), "DIKEY", "s3cret", "Sat, 01 Jun 2024 12:00:00 -0000")
    assert request.headers["Authorization"] == (
        "Basic RElLRVk6NjIwNzllZjI3OGY1ZThlY2IzMDZkMGY1OWY0YWNmMTY4MGQ3OTJiMzBjYzVkOTllNzUwMWRkMTg5"
        "YmU0YWZkZDBlZmNlZWEwMWEyM2ZhN2UyMDA3ZWQ3MzZmODVkMDUxM2U4Y2Q4ODE0ZjE2ZDEzYzMzMDQxM2Q5MmYyYTRmOGQ="
    )


def test_google_is_asked_in_the_name_of_an_administrator(provider: Provider, key: rsa.RSAPrivateKey) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return token("t1")
        if "pageToken" in asked.query:
            return Reply({"kind": "admin#reports#activities"})
        return Reply({"items": [{"id": {"uniqueQualifier": "1"}}], "nextPageToken": "more"})

    provider.answer = answer
    file = {"client_email": "m@p.example", "private_key": pem(key), "private_key_id": "k1"}
    secret = json.dumps(file | {"token_uri": f"{provider.url}/token"})
    pages = list(google_workspace.read(Access(provider.url, secret, subject="admin@corp.example"), START))
    assert [(len(page.records), page.through) for page in pages] == [
        (1, None), (0, SINCE + timedelta(days=1)), (1, None), (0, NOW),
    ]  # fmt: skip
    assertion = provider.asked[0].form["assertion"]
    claims = jwt.decode(assertion, key.public_key(), algorithms=["RS256"], audience=f"{provider.url}/token")
    assert (claims["sub"], claims["scope"]) == ("admin@corp.example", google_workspace.SCOPE)
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"
    assert provider.asked[1].path == "/admin/reports/v1/activity/users/all/applications/login"


def test_a_secret_that_is_no_key_is_explained_without_showing_it(provider: Provider) -> None:
    with pytest.raises(ApiError, match="not the JSON key file of a service account") as raised:
        list(google_workspace.read(Access(provider.url, "s3cret", subject="a"), START))
    assert "s3cret" not in str(raised.value)
    with pytest.raises(ApiError, match="no RSA private key in PEM") as raised:
        list(okta.read(Access(provider.url, "s3cret", client_id="0oa1"), START))
    assert "s3cret" not in str(raised.value)
    assert "s3cret" not in repr(Access(provider.url, "s3cret"))


@pytest.mark.parametrize("body", [{}, {"value": 5}, {"value": None}, [], 7, None, {"response": []}])
@pytest.mark.parametrize("api", [okta.read, entra.read, duo.read, google_workspace.read])
def test_an_answer_of_another_shape_is_explained(
    provider: Provider, key: rsa.RSAPrivateKey, api: object, body: object
) -> None:
    provider.answer = lambda asked: token("t1") if asked.method == "POST" else Reply(body)
    file = {"client_email": "m@p.example", "private_key": pem(key), "private_key_id": "k1"}
    secret = json.dumps(file | {"token_uri": f"{provider.url}/token"})
    access = Access(provider.url, secret, tenant=f"{provider.url}/t", client_id="" if api is okta.read else "me")
    if api is okta.read and body == []:
        assert len(list(okta.read(access, START))) == 1
        return
    with pytest.raises(ApiError, match="has no list"):
        list(api(access, START))  # type: ignore[operator]


def test_pages_that_lead_to_themselves_are_noticed(provider: Provider) -> None:
    link = "/v1.0/auditLogs/signIns?$skiptoken=x"
    body = {"value": [], "@odata.nextLink": link, "access_token": "t1"}
    provider.answer = lambda asked: Reply(body)
    with pytest.raises(ApiError, match="lead to themselves"):
        list(entra.read(Access(provider.url, "s3cret", client_id="me", tenant=f"{provider.url}/t"), START))


def test_a_refused_token_is_a_refusal(provider: Provider) -> None:
    provider.answer = lambda asked: Reply({"error": "invalid_client", "error_description": "secret expired"}, 401)
    with pytest.raises(RefusedError, match="401: 'secret expired'"):
        list(entra.read(Access(provider.url, "s3cret", client_id="app", tenant=f"{provider.url}/t"), START))


def test_windows_cover_the_time_without_a_gap() -> None:
    spans = list(windows(Start(NOW - timedelta(days=2, hours=5), NOW)))
    assert (spans[0][0], spans[-1][1]) == (NOW - timedelta(days=2, hours=5), NOW)
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert list(windows(Start(NOW, NOW))) == []
    assert next(windows(Start(datetime(1990, 1, 1, tzinfo=UTC), NOW), timedelta(days=2)))[0] == NOW - timedelta(days=2)
