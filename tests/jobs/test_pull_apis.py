"""Pulling from the API of a provider: nothing lost, nothing doubled, whatever the provider does."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from killing import kill_before_commit
from providers import Asked, Okta, Provider, Reply, serving
from sqlalchemy import Engine, text

from monitor.config import Settings, SourceSettings
from monitor.jobs.pull import PullError, pull, run
from monitor.store.engine import reading

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def okta(monkeypatch: pytest.MonkeyPatch) -> Iterator[Okta]:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with serving(Provider()) as provider:
        yield Okta(provider)


def source(okta: Okta, secret: str = "s3cret", **options: Any) -> SourceSettings:
    return SourceSettings(name="sso", kind="okta", url=okta.provider.url, secret=secret, **options)  # type: ignore[arg-type]


def configured(settings: Settings, *sources: SourceSettings) -> Settings:
    return settings.model_copy(update={"sources": list(sources)})


def stored(database: Engine) -> list[str]:
    with reading(database) as connection:
        return list(connection.scalars(text("SELECT event_id FROM monitor.login_event ORDER BY 1")))


def cursor_of(database: Engine) -> Any:
    with reading(database) as connection:
        return connection.scalar(text("SELECT cursor FROM monitor.source_cursor WHERE source = 'sso'"))


def ids(count: int) -> list[str]:
    return [f"u{number:04d}" for number in range(count)]


def test_a_pull_goes_on_where_the_last_one_ended_and_reads_nothing_twice(
    database: Engine, settings: Settings, okta: Okta
) -> None:
    settings = configured(settings, source(okta))
    okta.sign_in(*(NOW - timedelta(minutes=100 - n) for n in range(25)))
    assert run(database, settings, NOW) == {"sources": 1, "read": 25, "stored": 25, "duplicate": 0, "rejected": 0}
    assert run(database, settings, NOW)["read"] == 0
    okta.sign_in(NOW - timedelta(days=20))  # how late it comes does not matter
    assert run(database, settings, NOW) == {"sources": 1, "read": 1, "stored": 1, "duplicate": 0, "rejected": 0}
    assert stored(database) == ids(26)
    assert cursor_of(database)["position"] == "/api/v1/logs?after=p26"


def test_the_first_pull_goes_back_as_far_as_it_is_told(database: Engine, settings: Settings, okta: Okta) -> None:
    okta.sign_in(*(NOW - timedelta(days=days) for days in (40, 6, 1)))
    assert run(database, configured(settings, source(okta, history_days=7.0)), NOW)["stored"] == 2


def test_records_that_are_no_logins_are_counted_and_move_the_cursor(
    database: Engine, settings: Settings, okta: Okta
) -> None:
    okta.log.append({"uuid": "x", "published": NOW.isoformat(), "eventType": "user.mfa.factor.update"})
    okta.log.append({"uuid": "y", "published": "never", "eventType": "user.session.start"})
    okta.log.append(7)  # type: ignore[arg-type]
    report = pull(database, configured(settings, source(okta)), NOW)["sso"]
    assert report.skipped == {"user.mfa.factor.update": 1}
    assert (report.stored, report.rejected) == (0, 2)
    assert cursor_of(database)["position"] == "/api/v1/logs?after=p3"


@pytest.mark.parametrize(
    "mishap",
    [
        Reply({}, 503),
        Reply({}, 429, {"Retry-After": "3600"}),
        Reply(b"<html>Sign in</html>", kind="text/html"),
        Reply([{"uuid": "x" * 500}], cut=200),
        Reply({}, 302, {"Location": "https://example.com/"}),
        Reply({"records": []}),
    ],
)
def test_a_provider_that_fails_amid_the_pages_loses_nothing(
    database: Engine, settings: Settings, okta: Okta, mishap: Reply
) -> None:
    settings = configured(settings, source(okta))
    okta.sign_in(*(NOW - timedelta(minutes=100 - n) for n in range(25)))

    def fail_after_the_first_page(asked: Asked) -> Reply:
        return mishap if len(okta.provider.asked) > 1 else okta.answer(asked)

    okta.provider.answer = fail_after_the_first_page
    with pytest.raises(PullError, match=r"^source 'sso': ") as raised:
        pull(database, settings, NOW)
    assert "\n" not in str(raised.value)
    assert stored(database) == ids(10)
    okta.provider.answer = okta.answer
    assert run(database, settings, NOW)["read"] == 15
    assert stored(database) == ids(25)


def test_a_pull_killed_amid_the_pages_goes_on_and_loses_and_doubles_nothing(
    database: Engine, settings: Settings, okta: Okta
) -> None:
    okta.sign_in(*(NOW - timedelta(minutes=100 - n) for n in range(55)))
    script = f"""
from datetime import datetime
from monitor.config import Settings, SourceSettings
from monitor.store.engine import open_url
source = SourceSettings(name="sso", kind="okta", url=sys.argv[2], secret="s3cret")
module.pull(open_url(sys.argv[1]), Settings(sources=[source]), datetime.fromisoformat({NOW.isoformat()!r}))
"""
    url = database.url.render_as_string(hide_password=False)
    kill_before_commit("monitor.jobs.pull", 3, script, url, okta.provider.url)
    assert stored(database) == ids(20)
    assert cursor_of(database)["position"] == "/api/v1/logs?after=p20"
    assert run(database, configured(settings, source(okta)), NOW)["duplicate"] == 0
    assert stored(database) == ids(55)


def test_a_position_that_the_provider_forgot_is_an_error_once_and_the_next_pull_begins_by_time(
    database: Engine, settings: Settings, okta: Okta
) -> None:
    settings = configured(settings, source(okta))
    okta.sign_in(*(NOW - timedelta(hours=10 - n) for n in range(10)))
    pull(database, settings, NOW)
    okta.forgotten = True
    okta.sign_in(NOW)
    with pytest.raises(PullError, match=r"after parameter is invalid'; the next pull begins at 2024-06-01 05:00 UTC"):
        pull(database, settings, NOW)
    okta.forgotten = False
    assert run(database, settings, NOW) == {"sources": 1, "read": 8, "stored": 1, "duplicate": 7, "rejected": 0}
    assert stored(database) == ids(11)


def test_expired_credentials_are_explained_and_the_other_sources_go_on(
    database: Engine, settings: Settings, okta: Okta
) -> None:
    okta.sign_in(NOW)
    with serving(Provider()) as expired:
        Okta(expired)
        bad = SourceSettings(name="old", kind="okta", url=expired.url, secret="0ld-s3cret")  # type: ignore[arg-type]
        with pytest.raises(PullError) as raised:
            pull(database, configured(settings, bad, source(okta)), NOW)
    assert list(raised.value.failures) == ["old"]
    assert "answered 401: 'Invalid token SSWS …'" in str(raised.value)
    assert "make a new one, and see that it may read the System Log" in str(raised.value)
    assert "0ld-s3cret" not in str(raised.value)
    assert stored(database) == ids(1)


def test_a_secret_may_lie_in_a_file_and_change_there(
    database: Engine, settings: Settings, okta: Okta, tmp_path: Any
) -> None:
    path = tmp_path / "token"
    from_file = SourceSettings(name="sso", kind="okta", url=okta.provider.url, secret_file=path)  # type: ignore[arg-type]
    settings = configured(settings, from_file)
    okta.sign_in(NOW)
    with pytest.raises(PullError, match=r"secret_file .* cannot be read: No such file"):
        pull(database, settings, NOW)
    path.write_text("expired\n")
    with pytest.raises(PullError, match="401") as raised:
        pull(database, settings, NOW)
    assert "expired" not in str(raised.value)
    path.write_text("s3cret\n")
    assert run(database, settings, NOW)["stored"] == 1


def test_a_long_history_is_pulled_in_several_runs(database: Engine, settings: Settings, okta: Okta) -> None:
    okta.sign_in(*(NOW - timedelta(minutes=100 - n) for n in range(25)))
    hurried = configured(settings, source(okta)).model_copy(update={"job_deadline_seconds": 1e-6})
    assert [run(database, hurried, NOW)["stored"] for _ in range(4)] == [10, 10, 5, 0]


class Graph:
    """Sign-ins as Microsoft Graph lists them: newest first, in pages of two."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.sign_ins: list[dict[str, Any]] = []
        self.broken = ""
        provider.answer = self.answer

    def sign_in(self, *times: datetime) -> None:
        for moment in times:
            number = len(self.sign_ins)
            self.sign_ins.append(
                {
                    "id": f"u{number:04d}",
                    "createdDateTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "userPrincipalName": "ana@corp.example",
                    "status": {"errorCode": 0},
                }
            )

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply({"access_token": "t1", "expires_in": 3600})
        begin, end, skip = asked.query.get("$skiptoken", "").split("|") if "$skiptoken" in asked.query else (
            asked.query["$filter"].split()[2], asked.query["$filter"].split()[6], "0"
        )  # fmt: skip
        if self.broken and skip != "0" and begin.startswith(self.broken):
            return Reply({}, 400)
        found = sorted(
            (each for each in self.sign_ins if begin[:19] <= each["createdDateTime"][:19] <= end[:19]),
            key=lambda each: each["createdDateTime"],
            reverse=True,
        )
        page = found[int(skip) : int(skip) + 2]
        more = f"{self.provider.url}{asked.path}?$skiptoken={begin}|{end}|{int(skip) + 2}"
        return Reply({"value": page} | ({"@odata.nextLink": more} if len(found) > int(skip) + 2 else {}))


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    with serving(Provider()) as provider:
        yield Graph(provider)


def entra(graph: Graph, **options: Any) -> SourceSettings:
    url = graph.provider.url
    return SourceSettings(  # type: ignore[call-arg]
        name="sso", kind="entra", url=url, tenant=f"{url}/corp", client_id="app", secret="s3cret", **options
    )


def test_an_api_that_lists_newest_first_is_read_day_by_day_with_an_overlap(
    database: Engine, settings: Settings, graph: Graph
) -> None:
    settings = configured(settings, entra(graph, history_days=5.0))
    graph.sign_in(*(NOW - timedelta(hours=hours) for hours in range(0, 100, 5)))
    assert run(database, settings, NOW)["stored"] == 20
    assert cursor_of(database) == {"occurred_at": NOW.isoformat()}
    graph.sign_in(NOW - timedelta(hours=3))  # it came late
    later = NOW + timedelta(hours=1)
    assert run(database, settings, later) == {"sources": 1, "read": 3, "stored": 1, "duplicate": 2, "rejected": 0}
    assert cursor_of(database) == {"occurred_at": later.isoformat()}


def test_a_day_that_breaks_off_amid_its_pages_is_listed_again(
    database: Engine, settings: Settings, graph: Graph
) -> None:
    settings = configured(settings, entra(graph, history_days=5.0, overlap_minutes=0.0))
    graph.sign_in(*(NOW - timedelta(hours=hours) for hours in range(1, 100, 5)))
    graph.broken = "2024-05-30"
    with pytest.raises(PullError, match="answered 400"):
        pull(database, settings, NOW)
    before = len(stored(database))
    assert 0 < before < 20
    assert cursor_of(database) == {"occurred_at": (NOW - timedelta(days=2)).isoformat()}
    graph.broken = ""
    assert run(database, settings, NOW)["stored"] == 20 - before
    assert stored(database) == ids(20)
