"""What an API may answer, and what becomes of it."""

import gzip
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
from providers import Asked, Provider, Reply, serving
from requests import PreparedRequest

from monitor.sources import http
from monitor.sources.http import TRIES, ApiError, Bearer, Client, RefusedError


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider(answer=lambda asked: Reply({"path": asked.path, **asked.query}))) as provider:
        yield provider


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited for, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(http, "wait_random_exponential", lambda **_: lambda state: 0.5)
    return waited


def with_secret(request: PreparedRequest) -> PreparedRequest:
    request.headers["Authorization"] = "SSWS s3cret"
    return request


def test_an_answer_is_json_with_a_next_link_on_the_same_host(provider: Provider) -> None:
    provider.mishaps.append(Reply([1], headers={"Link": f'<{provider.url}/logs?after=7>; rel="next"'}))
    answer = Client(provider.url, with_secret).get("/logs", {"limit": "2"})
    assert (answer.body, answer.next) == ([1], "/logs?after=7")
    assert Client(provider.url).get(answer.next or "").body == {"path": "/logs", "after": "7"}
    assert provider.asked[0].headers["authorization"] == "SSWS s3cret"
    assert provider.asked[0].query == {"limit": "2"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": formatdate(1_700_000_030, usegmt=True), "Date": formatdate(1_700_000_000, usegmt=True)}, 30.0),
        ({"X-Rate-Limit-Reset": "1700000012", "Date": formatdate(1_700_000_000, usegmt=True)}, 13.0),
        ({"X-RateLimit-Reset": "1699999990", "Date": formatdate(1_700_000_000, usegmt=True)}, 1.0),
        ({"Retry-After": "soon"}, 0.5),
        ({}, 0.5),
    ],
)
def test_a_rate_limit_is_waited_for_as_the_provider_asks(
    provider: Provider, waits: list[float], headers: dict[str, str], seconds: float
) -> None:
    provider.mishaps.append(Reply({}, 429, {**headers}))
    assert Client(provider.url).get("/logs").body == {"path": "/logs"}
    assert waits == [seconds]


def test_who_asks_for_an_hour_is_left_alone_until_the_next_pull(provider: Provider, waits: list[float]) -> None:
    provider.mishaps.append(Reply({}, 429, {"Retry-After": "3600"}))
    with pytest.raises(ApiError, match=r"over its rate limit \(429\); the next pull goes on from here"):
        Client(provider.url).get("/logs")
    assert waits == []


@pytest.mark.parametrize(
    "mishap",
    [
        Reply({}, 500),
        Reply("<html>", 503, kind="text/html"),
        Reply({}, 408),
        Reply({"long": "x" * 1000}, cut=500),
        Reply(b'{"cut": "sho'),
    ],
)
def test_what_may_pass_is_tried_again(provider: Provider, mishap: Reply) -> None:
    provider.mishaps.extend([mishap] * (TRIES - 1))
    assert Client(provider.url).get("/logs").body == {"path": "/logs"}
    assert len(provider.asked) == TRIES


@pytest.mark.parametrize(
    ("mishap", "reason"),
    [
        (Reply({}, 502), r"failed \(502\)"),
        (Reply({"long": "x" * 1000}, cut=500), "broke"),
        (Reply(b'{"cut": "sho'), "no whole JSON"),
    ],
)
def test_what_does_not_pass_is_explained(provider: Provider, mishap: Reply, reason: str) -> None:
    provider.mishaps.extend([mishap] * TRIES)
    with pytest.raises(ApiError, match=reason + ".*; the next pull goes on from here"):
        Client(provider.url).get("/logs")


def test_a_sign_in_page_where_json_was_expected_is_explained(provider: Provider) -> None:
    provider.mishaps.append(Reply(b"<html>Sign in</html>", kind="text/html; charset=utf-8"))
    with pytest.raises(ApiError, match="answered with 'text/html' where JSON was expected"):
        Client(provider.url).get("/logs")


def test_a_refusal_says_what_the_provider_said_and_no_more(provider: Provider) -> None:
    provider.mishaps.append(Reply({"errorSummary": "Invalid\ntoken " + "x" * 900, "other": "hidden"}, 401))
    with pytest.raises(RefusedError, match="answered 401: 'Invalid") as raised:
        Client(provider.url).get("/logs")
    assert raised.value.status == 401
    assert "\n" not in str(raised.value) and "hidden" not in str(raised.value) and len(str(raised.value)) < 300


def test_credentials_go_nowhere_else(provider: Provider) -> None:
    with serving(Provider()) as other:
        client = Client(provider.url, with_secret)
        for status in (301, 302, 307, 308):
            provider.mishaps.append(Reply({}, status, {"Location": f"{other.url}/logs"}))
            with pytest.raises(ApiError, match="redirects elsewhere"):
                client.get("/logs")
        provider.mishaps.append(Reply([], headers={"Link": f'<{other.url}/logs?after=7>; rel="next"'}))
        with pytest.raises(ApiError, match="points to another host"):
            client.get("/logs")
        with pytest.raises(ApiError, match="points to another host"):
            client.get(f"{other.url}/logs")
        assert other.asked == []


def test_credentials_of_the_home_directory_are_not_used(
    provider: Provider, tmp_path: "pytest.TempPathFactory", monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"  # type: ignore[operator]
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    Client(provider.url).get("/logs")
    assert "authorization" not in provider.asked[0].headers


@pytest.mark.parametrize("squeezed", [False, True])
def test_an_endless_answer_is_given_up(provider: Provider, monkeypatch: pytest.MonkeyPatch, squeezed: bool) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 1_000_000)
    raw = b'"' + b"x" * 20_000_000 + b'"'
    headers = {"Content-Encoding": "gzip"} if squeezed else {}
    provider.mishaps.append(Reply(gzip.compress(raw) if squeezed else raw, headers=headers))
    with pytest.raises(ApiError, match="longer than 1,000,000 bytes"):
        Client(provider.url).get("/logs")


def test_a_dripping_answer_is_given_up(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", -1.0)
    with pytest.raises(ApiError, match="took longer than"):
        Client(provider.url).get("/logs")


def test_a_host_that_is_not_there_is_explained() -> None:
    with pytest.raises(ApiError, match=r"127\.0\.0\.1:1 cannot be reached"):
        Client("http://127.0.0.1:1", with_secret).get("/logs")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com", "use https://"),
        ("ftp://example.com", "its url is none"),
        ("example.com", "its url is none"),
        ("", "its url is none"),
        ("https://example.com:port", "its url is none"),
        ("https://me:s3cret@example.com", "holds a user or password"),
    ],
)
def test_a_url_that_does_not_do_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ApiError, match=reason) as raised:
        Client(url)
    assert "s3cret" not in str(raised.value)


def test_a_token_is_fetched_once_and_again_when_it_ends(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return Reply({"access_token": f"t{provider.paths().count('/token')}", "expires_in": 3600})
        return Reply(asked.headers["authorization"])

    provider.answer = answer
    client = Client(provider.url, Bearer(lambda: Client(provider.url).post("/token", {"grant_type": "x"})))
    assert [client.get("/logs").body for _ in range(2)] == ["Bearer t1"] * 2
    ends = time.monotonic() + 3541
    monkeypatch.setattr(time, "monotonic", lambda: ends)
    assert client.get("/logs").body == "Bearer t2"


@pytest.mark.parametrize("body", [{}, [], {"access_token": 5}, {"access_token": "a\nb"}, {"access_token": "ü"}])
def test_a_token_endpoint_without_a_token_is_explained(provider: Provider, body: object) -> None:
    provider.answer = lambda asked: Reply(body)
    with pytest.raises(ApiError, match="no access token"):
        Client(provider.url, Bearer(lambda: Client(provider.url).post("/token", {}))).get("/logs")
