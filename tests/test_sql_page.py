"""docs/sql.md keeps its word: every query in it runs as it stands, on scored logins, and says what it claims to."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from companies import rows, settings_for
from documented import QUERIES, page
from sqlalchemy import Engine, text

from monitor.jobs.ingest import ingest
from monitor.jobs.review import review
from monitor.jobs.score import score
from monitor.jobs.train import train
from monitor.simulation import simulate, write
from monitor.store.engine import open_url, writing
from monitor.store.reporting import ask

SEVERITIES = ["critical", "high", "medium", "low"]


def monday(today: datetime) -> datetime:
    """The Monday from which twenty days end within the last week: queries about this week find logins."""
    start = today.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=20)
    return start - timedelta(days=start.weekday())


def newcomer_and_spray(directory: Path, events: pd.DataFrame, now: datetime) -> Path:
    """Two hours ago: somebody's first login, and tries of one address at six accounts, one of which succeeds."""
    people = [user for user in events["user"].value_counts().index if not user.startswith("svc")][:6]
    at = (now - timedelta(hours=2)).isoformat()
    lines = ["event_id,occurred_at,user,outcome,country,ip,asn,device_id", f"n,{at},new@x,success,DE,,,"]
    for number in range(48):
        outcome = "success" if number == 47 else "failure"
        lines.append(f"s{number},{at},{people[number % 6]},{outcome},KP,203.0.113.66,131279,sprayer")
    path = directory / "late.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def asked(
    make_database: Callable[[str], str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A company of this month: trained, scored until now, half of its alerts judged."""
    engine = open_url(make_database(template))
    now = datetime.now(UTC)
    start = monday(now)
    directory = tmp_path_factory.mktemp("company")
    simulated = simulate("corporate", 25, 20, seed=5, start=start, attacks_per_kind=1, attacks_from=0.7)
    events, _ = write(simulated, directory)
    ingest(engine, [events], "csv", "company", now=now)
    ingest(engine, [newcomer_and_spray(directory, simulated.events, now)], "csv", "late", now=now)
    settings = settings_for(engine)
    train(engine, settings, start + timedelta(days=13), "rarity")
    score(engine, settings, now)
    with writing(engine) as connection:
        rename = """
            UPDATE monitor.account SET user_name = 'anna@example.com' WHERE account_id = (
                SELECT account_id FROM monitor.account_state ORDER BY cardinality(value) DESC, account_id LIMIT 1)
        """
        connection.execute(text(rename))
    attacked = set(simulated.labels.loc[simulated.labels["is_attack"].astype(bool), "event_id"])
    held = rows(engine, "SELECT alert_id, array_agg(event_id) AS events FROM reporting.alert_event GROUP BY alert_id")
    for number, alert in enumerate(held.sort_values("alert_id").itertuples()):
        if number % 4:
            verdict = "confirm" if attacked & set(alert.events) else "dismiss"
            review(engine, alert.alert_id, verdict, "kim", None, now + timedelta(minutes=number))
    yield engine
    engine.dispose()


def answer(engine: Engine, title: str) -> pd.DataFrame:
    with ask(engine, QUERIES[title], 60) as (columns, found):
        return pd.DataFrame(list(found), columns=columns)


def alerts(engine: Engine) -> pd.DataFrame:
    return rows(engine, "SELECT * FROM reporting.alert").set_index("alert_id")


def this_week(engine: Engine) -> pd.DataFrame:
    """Scores of the last seven days (UTC), from the table itself."""
    query = """
        SELECT a.user_name, s.score::float AS score
        FROM monitor.login_score s JOIN monitor.account a USING (account_id)
        WHERE (s.occurred_at AT TIME ZONE 'UTC')::date > (now() AT TIME ZONE 'UTC')::date - 7
    """
    return rows(engine, query)


def test_the_page_has_ten_questions() -> None:
    assert len(QUERIES) == 10


def test_the_worst_accounts_are_those_whose_scores_exceed_most(asked: Engine) -> None:
    found = answer(asked, "The worst accounts of this week")
    scores = this_week(asked)
    risk = (scores["score"] - 2).clip(lower=0).groupby(scores["user_name"]).sum().sort_values(ascending=False)
    assert found["risk"].astype(float).tolist() == pytest.approx(risk.head(20).tolist(), abs=0.06)
    worst = found.iloc[0]
    assert worst["user_name"] == risk.index[0]
    assert int(worst["logins"]) == (scores["user_name"] == risk.index[0]).sum()
    assert worst["worst"] == pytest.approx(scores.loc[scores["user_name"] == risk.index[0], "score"].max())
    assert found["alerts"].sum() > 0


def test_precision_by_reason_counts_every_alert_under_its_strongest_reason(asked: Engine) -> None:
    found = answer(asked, "Which reasons prove right").set_index("reason")
    status = alerts(asked)["status"].value_counts()
    assert (found["alerts"].sum(), found["confirmed"].sum(), found["dismissed"].sum()) == (
        status.sum(),
        status["confirmed"],
        status["dismissed"],
    )
    for reason in found.itertuples():
        judged = reason.confirmed + reason.dismissed
        assert (pd.isna(reason.precision) and not judged) or float(reason.precision) == pytest.approx(
            reason.confirmed / judged, abs=0.006
        )


def test_time_to_verdict_is_that_of_the_first_verdicts(asked: Engine) -> None:
    found = answer(asked, "How long does a verdict take")
    waited = rows(
        asked,
        "SELECT severity, reviewed_at - created_at AS waited FROM monitor.alert JOIN monitor.review USING (alert_id)",
    )
    assert found["judged"].sum() == len(waited)
    assert found["severity"].tolist() == [one for one in SEVERITIES if one in set(waited["severity"])]
    for row in found.itertuples():
        assert row.median in set(waited.loc[waited["severity"] == row.severity, "waited"])
        assert timedelta(0) < row.median <= row.most


def test_a_campaign_is_told_with_its_accounts_and_addresses(asked: Engine) -> None:
    found = answer(asked, "Spray campaigns")
    bound = alerts(asked).dropna(subset="campaign_id").groupby("campaign_id")["user_name"].nunique()
    assert len(found) == len(bound) > 0
    assert dict(zip(found["campaign_id"], found["accounts"], strict=True)) == bound.to_dict()
    (sprayed,) = [row for row in found.itertuples() if "203.0.113.66" in row.addresses]
    assert (sprayed.accounts, sprayed.let_in >= 1, sprayed.logins >= 48) == (6, True, True), sprayed
    assert sprayed.began <= sprayed.ended


def test_what_is_usual_adds_up_for_each_feature(asked: Engine) -> None:
    found = answer(asked, "What is usual for somebody")
    assert {"country", "device", "hour", "weekday"} <= set(found["feature"])
    assert np.allclose(found.groupby("feature")["share"].sum().astype(float), 1, atol=0.1)


def test_whoever_has_no_history_is_listed_and_nobody_else(asked: Engine) -> None:
    found = answer(asked, "Accounts without history").set_index("user_name")
    assert found.loc["new@x", "logins"] == 1
    assert "anna@example.com" not in found.index
    assert (found["learned"] < 5).all()
    assert set(found.index) <= set(this_week(asked)["user_name"])


def test_every_alert_has_its_hour(asked: Engine) -> None:
    found = answer(asked, "When do alerts open")
    opened = alerts(asked)["opened_at"].dt.tz_convert("Europe/Berlin")
    expected = opened.groupby([opened.dt.isocalendar().day, opened.dt.hour]).size()
    assert {(row.weekday, row.hour): row.alerts for row in found.itertuples()} == expected.to_dict()


def test_the_weights_of_dismissed_and_of_confirmed_alerts_add_up(asked: Engine) -> None:
    found = answer(asked, "What drives dismissals")
    for column in ("of_dismissed", "of_confirmed"):
        assert found[column].fillna(0).astype(float).sum() == pytest.approx(1, abs=0.1)
    assert found["of_dismissed"].dropna().astype(float).is_monotonic_decreasing


def test_each_source_is_told_with_its_coverage(asked: Engine) -> None:
    found = answer(asked, "What does each source tell, and how late").set_index("source")
    late = found.loc["late"]  # two hours late, one login of 49 without address and device
    assert (late["logins"], late["country"], late["user_agent"]) == (49, 1, 0)
    assert float(late["ip"]) == float(late["device"]) == 0.98
    assert timedelta(hours=1.9) < late["median_lag"] == late["longest_lag"] < timedelta(hours=2.1)


def test_another_threshold_is_answered_from_all_scores_and_all_verdicts(asked: Engine) -> None:
    found = answer(asked, "What would another threshold do").set_index("threshold")
    scores = rows(asked, "SELECT score::float AS score FROM monitor.login_score")["score"]
    judged = alerts(asked).query("status != 'open'")
    for threshold, row in found.iterrows():
        level = float(str(threshold))
        # A score a rounding error below the tenth may stand in it.
        assert float(row["share"]) == pytest.approx((scores >= level - 1e-6).mean(), abs=2e-6)
        over = judged[judged["score"] >= level]
        assert row["judged"] == len(over)
        if len(over):
            assert float(row["false_alarms"]) == pytest.approx((over["status"] == "dismissed").mean(), abs=0.006)
    assert float(found["promised"].iloc[0]) == 0.01


def test_the_page_lists_every_view(asked: Engine) -> None:
    listed = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", page("sql.md"), re.MULTILINE))))
    views = set(rows(asked, "SELECT viewname FROM pg_views WHERE schemaname = 'reporting'")["viewname"])
    assert listed >= views
