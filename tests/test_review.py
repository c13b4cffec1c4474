"""Verdicts: the latest counts, the same twice is one, and a file's faults are told line by line."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from monitor.jobs.review import ConflictError, decide, decide_all, review, review_file
from monitor.review import REASONS, ReviewError, Scope, Verdict, checked, covered, scope_values
from monitor.store import audit
from monitor.store.engine import reading, writing
from monitor.store.reviews import active_scopes

NOW = datetime(2025, 11, 3, 8, tzinfo=UTC)
HEADER = "alert_id,verdict,reviewer,note\n"


@pytest.fixture
def add_alert(database: Engine) -> Callable[[], UUID]:
    def add() -> UUID:
        account, alert = uuid4(), uuid4()
        with writing(database) as connection:
            connection.execute(
                text("INSERT INTO monitor.account VALUES (:id, :name, 1, :now)"),
                {"id": account, "name": str(account), "now": NOW},
            )
            connection.execute(
                text(
                    "INSERT INTO monitor.alert VALUES (:alert, :account, :now, :now, 4, 'high', 'open', 'x', 1, NULL,"
                    " false, :now, :now)"
                ),
                {"alert": alert, "account": account, "now": NOW},
            )
        return alert

    return add


def status(engine: Engine, alert: UUID) -> str:
    with reading(engine) as connection:
        return str(connection.scalar(text("SELECT status FROM monitor.alert WHERE alert_id = :id"), {"id": alert}))


def verdicts(engine: Engine, alert: UUID) -> list[str]:
    query = text("SELECT reviewer || ' ' || verdict FROM monitor.review WHERE alert_id = :id ORDER BY reviewed_at")
    with reading(engine) as connection:
        return list(connection.scalars(query, {"id": alert}))


def test_the_latest_verdict_sets_the_status_and_undo_reopens(database: Engine, add_alert: Callable[[], UUID]) -> None:
    alert = add_alert()
    for word, after in (("confirm", "confirmed"), ("dismiss", "dismissed"), ("undo", "open")):
        assert review(database, alert, word, "ada", None, NOW)
        assert status(database, alert) == after
    assert verdicts(database, alert) == ["ada confirm", "ada dismiss", "ada undo"]


def test_the_same_verdict_again_changes_nothing(database: Engine, add_alert: Callable[[], UUID]) -> None:
    alert = add_alert()
    assert review(database, alert, "confirm", "ada", " phished ", NOW)
    assert not review(database, alert, "confirm", "ada", "phished", NOW + timedelta(hours=1))
    assert verdicts(database, alert) == ["ada confirm"]


def test_a_clock_set_back_does_not_bring_an_older_verdict_to_the_top(
    database: Engine, add_alert: Callable[[], UUID]
) -> None:
    alert = add_alert()
    review(database, alert, "confirm", "ada", None, NOW)
    review(database, alert, "dismiss", "bob", None, NOW - timedelta(days=1))
    assert verdicts(database, alert) == ["ada confirm", "bob dismiss"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((uuid4(), "confirm", "ada", None, NOW), "there is no alert"),
        (("7", "confirm", "ada", None, NOW), "is no alert id"),
        ((uuid4(), "maybe", "ada", None, NOW), "is no verdict"),
        ((uuid4(), "confirm", "  ", None, NOW), "needs a reviewer"),
        ((uuid4(), "confirm", "a\0b", None, NOW), "no valid text"),
        ((uuid4(), "confirm", "ada", "\ud800", NOW), "no valid text"),
        ((uuid4(), "confirm", "ada", "x" * 4_001, NOW), "longer than 4,000"),
        ((uuid4(), "confirm", "ada", None, NOW, "travel"), "is no reason to confirm"),
    ],
)
def test_a_verdict_that_cannot_be_taken_says_why_in_a_line(
    arguments: tuple[str, str, str, str, datetime], says: str, database: Engine
) -> None:
    with pytest.raises(ReviewError, match=says) as raised:
        review(database, *arguments)
    assert "\n" not in str(raised.value)


def test_an_alert_without_a_verdict_has_none_to_undo(database: Engine, add_alert: Callable[[], UUID]) -> None:
    with pytest.raises(ReviewError, match="no verdict to undo"):
        review(database, add_alert(), "undo", "ada", None, NOW)


def test_a_file_is_taken_line_by_line_and_its_faults_are_told(
    database: Engine, add_alert: Callable[[], UUID], tmp_path: Path
) -> None:
    first, second, third, stranger = add_alert(), add_alert(), add_alert(), uuid4()
    path = tmp_path / "verdicts.csv"
    path.write_text(
        "\ufeff" + HEADER + f"{first},confirm,ada,phished\n{first},confirm,ada,phished\n{stranger},confirm,ada,\n"
        f"{second},perhaps,ada,\n{third},confirm,ada,\n{third},dismiss,ada,\n{second},Dismiss,bob\nnonsense,confirm,a,\n"
        f'{second},dismiss,,"no\nname"\n',
        encoding="utf-8",
    )
    report = review_file(database, path, NOW)
    assert (report.read, report.taken, report.repeated) == (9, 2, 1)
    told = dict(report.problems)
    assert list(told) == [4, 5, 6, 7, 9, 11]
    assert "there is no alert" in told[4]
    assert "is no verdict" in told[5]
    assert "two different verdicts" in told[6] and "two different verdicts" in told[7]
    assert "is no alert id" in told[9]
    assert "needs a reviewer" in told[11]
    assert [status(database, alert) for alert in (first, second, third)] == ["confirmed", "dismissed", "open"]


def test_the_same_file_again_changes_nothing_even_after_later_verdicts(
    database: Engine, add_alert: Callable[[], UUID], tmp_path: Path
) -> None:
    alert = add_alert()
    path = tmp_path / "verdicts.csv"
    path.write_text(HEADER + f"{alert},confirm,ada,\n{alert},dismiss,bob,\n")
    assert review_file(database, path, NOW).taken == 2
    review(database, alert, "confirm", "eve", None, NOW)
    report = review_file(database, path, NOW)
    assert (report.taken, report.repeated, report.problems) == (0, 2, [])
    assert status(database, alert) == "confirmed"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "no UTF-8"),
        (b"alert_id,note\n", "the header lacks verdict, reviewer"),
        (HEADER.encode() + b'"' + b"x" * 200_000, "line 1: field larger"),
    ],
)
def test_a_file_that_holds_no_verdicts_is_refused_in_a_line(
    content: bytes, says: str, database: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "verdicts.csv"
    path.write_bytes(content)
    with pytest.raises(ReviewError, match=says):
        review_file(database, path, NOW)


def test_a_file_with_a_header_alone_is_no_fault(database: Engine, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.csv"
    path.write_text(HEADER)
    assert review_file(database, path, NOW).read == 0


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_no_file_raises_anything_but_a_review_error(content: bytes, database: Engine, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.csv"
    path.write_bytes(HEADER.encode() + content)
    try:
        assert review_file(database, path, NOW).taken == 0
    except ReviewError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("scope", "word", "says"),
    [
        (Scope("asn", "5002", NOW + timedelta(days=1)), "confirm", "only a dismissal"),
        (Scope("mood", "bad", NOW + timedelta(days=1)), "dismiss", "cannot be a scope"),
        (Scope("asn", "5002", NOW), "dismiss", "lies ahead"),
        (Scope("asn", "5002", datetime(2030, 1, 1)), "dismiss", "lies ahead"),  # noqa: DTZ001
    ],
)
def test_a_scope_that_vouches_for_nothing_is_refused(scope: Scope, word: str, says: str) -> None:
    with pytest.raises(ReviewError, match=says):
        checked(Verdict(uuid4(), word, "ada", None, None, scope), NOW)


def test_scopes_on_offer_are_the_known_values_of_the_logins() -> None:
    events = [{"asn": 5002, "city": "Lagos", "country": None}, {"asn": 5002, "city": "Abuja", "user": "ada"}]
    assert scope_values(events) == {"asn": ["5002"], "city": ["Lagos", "Abuja"]}


def test_every_verdict_with_reasons_offers_other() -> None:
    assert all("other" in REASONS[word] for word in ("confirm", "dismiss"))


def scopes(engine: Engine, account: UUID, moment: datetime = NOW) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        found = active_scopes(connection, [str(account)], moment)
    return list(zip(found["feature"], found["value"], strict=True))


def account_of(engine: Engine, alert: UUID) -> UUID:
    with reading(engine) as connection:
        query = text("SELECT account_id FROM monitor.alert WHERE alert_id = :id")
        found: UUID = connection.execute(query, {"id": alert}).scalar_one()
    return found


def test_a_scope_stands_until_its_end_or_until_its_dismissal_is_undone(
    database: Engine, add_alert: Callable[[], UUID]
) -> None:
    alert, act, end = add_alert(), uuid4(), NOW + timedelta(days=30)
    account = account_of(database, alert)
    given = Verdict(alert, "dismiss", "ada", "vpn", None, Scope("asn", "5002", end), act)
    assert decide(database, given, None, "192.0.2.1", NOW)
    assert scopes(database, account) == [("asn", "5002")]
    assert scopes(database, account, end) == []
    assert scopes(database, uuid4()) == []
    assert decide(database, Verdict(alert, "undo", "ada"), act, "192.0.2.1", NOW)
    assert scopes(database, account) == []


def test_whoever_judges_second_is_told_and_overwrites_nothing(database: Engine, add_alert: Callable[[], UUID]) -> None:
    alert = add_alert()
    assert decide(database, Verdict(alert, "confirm", "ada"), None, "192.0.2.1", NOW)
    with pytest.raises(ConflictError, match="ada has judged"):
        decide(database, Verdict(alert, "dismiss", "bob"), None, "192.0.2.2", NOW)
    assert status(database, alert) == "confirmed"


def test_of_two_who_judge_at_the_same_moment_one_is_told(database: Engine, add_alert: Callable[[], UUID]) -> None:
    alert = add_alert()

    def judge(name: str) -> str:
        try:
            return str(decide(database, Verdict(alert, "confirm", name), None, "192.0.2.1", NOW))
        except ConflictError:
            return "told"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(judge, "abcdef")) == ["True", *["told"] * 5]
    assert len(verdicts(database, alert)) == 1


def test_the_same_form_twice_is_one_verdict(database: Engine, add_alert: Callable[[], UUID]) -> None:
    given = Verdict(add_alert(), "confirm", "ada", act=uuid4())
    assert [decide(database, given, None, "192.0.2.1", NOW) for _ in range(2)] == [True, False]


def test_a_verdict_on_a_campaign_leaves_alone_what_others_judged(
    database: Engine, add_alert: Callable[[], UUID]
) -> None:
    alerts = [add_alert() for _ in range(4)]
    decide(database, Verdict(alerts[2], "dismiss", "bob"), None, "192.0.2.1", NOW)
    given = [Verdict(alert, "confirm", "ada") for alert in alerts]
    taken, others = decide_all(database, given, dict.fromkeys(alerts), "192.0.2.1", NOW)
    assert (taken, [alert.alert_id for alert in others]) == (3, [alerts[2]])
    assert [status(database, alert) for alert in alerts] == ["confirmed", "confirmed", "dismissed", "confirmed"]


def test_every_verdict_is_in_the_audit_log_once(database: Engine, add_alert: Callable[[], UUID]) -> None:
    alert = add_alert()
    review(database, alert, "confirm", "ada", "sure", NOW)
    review(database, alert, "confirm", "ada", "sure", NOW)
    with reading(database) as connection:
        (entry,) = audit.entries(connection, 10)
    assert (entry.actor, entry.action, entry.subject) == ("ada", "confirm", str(alert))
    assert entry.details == {"reason": None, "note_sha256": sha256(b"sure").hexdigest()}


def test_logins_are_covered_by_a_scope_of_their_account_and_value_before_its_end() -> None:
    end = pd.Timestamp(NOW)
    logins = pd.DataFrame(
        {
            "account_id": ["a", "a", "a", "b", "a"],
            "occurred_at": [end - timedelta(days=1), end, end - timedelta(days=1), end - timedelta(days=1), end],
            "asn": pd.Series([5002, 5002, None, 5002, 7], dtype="Int64"),
            "city": ["Lagos", "Lagos", "Lagos", "Lagos", "Rome"],
        }
    )
    given = pd.DataFrame(
        {"account_id": ["a", "a"], "feature": ["asn", "city"], "value": ["5002", "Rome"], "valid_until": [end] * 2}
    )
    assert covered(logins, given).tolist() == [True, False, False, False, False]
    given["valid_until"] += timedelta(seconds=1)
    assert covered(logins, given).tolist() == [True, True, False, False, True]
    assert covered(logins, given.iloc[:0]).tolist() == [False] * 5
