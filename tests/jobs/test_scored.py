"""What a pass leaves behind for people to read: scores, attributions, alerts, campaigns, risk."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from companies import NOW, SCORES, Trained, alert_from, number, rows, score
from sqlalchemy import Engine, text

from monitor.jobs.ingest import ingest
from monitor.store.engine import open_url, writing


def test_planted_attacks_stand_out_from_ordinary_logins(scored: Engine, trained: Trained) -> None:
    logins = rows(scored, SCORES).merge(trained.labels, on="event_id")
    attack = logins["is_attack"].astype(bool)
    assert logins.loc[attack, "score"].median() > logins.loc[~attack, "score"].quantile(0.95)


def test_attributions_add_up_to_the_raw_oddness_and_say_what_was_observed_and_what_is_usual(scored: Engine) -> None:
    sums = rows(
        scored,
        """
        SELECT s.raw, s.alerted, coalesce(sum(a.contribution), 0) AS total, count(a.feature) AS parts
        FROM reporting.login_score s LEFT JOIN reporting.attribution a USING (source, event_id, user_name, occurred_at)
        GROUP BY s.source, s.event_id, s.user_name, s.occurred_at, s.raw, s.alerted
        """,
    )
    assert ((sums["raw"] - sums["total"]).abs() <= 1e-4 * sums["raw"].clip(lower=1)).all()
    strongest = rows(
        scored,
        """
        SELECT DISTINCT ON (event_id) event_id, feature, observed, usual
        FROM reporting.attribution JOIN reporting.login_score USING (source, event_id, user_name, occurred_at)
        WHERE alerted ORDER BY event_id, contribution DESC
        """,
    )
    assert len(strongest) == sums["alerted"].sum()
    assert strongest["observed"].notna().all()
    assert strongest["usual"].notna().all()


def test_an_alert_copies_what_it_shows(scored: Engine) -> None:
    copies = rows(
        scored,
        """
        SELECT v.event, v.attribution, v.score, s.score AS scored, s.alerted, e.city, host(e.ip) AS ip
        FROM reporting.alert_event v JOIN reporting.login_score s USING (source, event_id)
        JOIN reporting.login_event e USING (source, event_id)
        """,
    )
    assert copies["alerted"].all()
    assert np.allclose(copies["score"], copies["scored"])
    for copy in copies.itertuples():
        assert copy.event["ip"] == copy.ip
        assert copy.event["city"] == copy.city or (copy.event["city"] is None and pd.isna(copy.city))
        contributions = [reason["contribution"] for reason in copy.attribution]
        assert contributions == sorted(contributions, reverse=True)
        assert copy.attribution[0]["observed"]


def test_alerts_hold_exactly_the_logins_that_alerted_in_incidents_without_long_pauses(scored: Engine) -> None:
    logins = rows(
        scored,
        """
        SELECT t.alert_id, t.event_count, t.score AS worst, v.score, v.occurred_at, t.opened_at, t.last_event_at
        FROM reporting.alert t JOIN reporting.alert_event v USING (alert_id) ORDER BY v.occurred_at
        """,
    )
    assert len(logins) == number(scored, "SELECT count(*) FROM reporting.login_score WHERE alerted")
    for _, alert in logins.groupby("alert_id"):
        assert len(alert) == alert["event_count"].iloc[0]
        assert alert["score"].max() == alert["worst"].iloc[0]
        assert alert["occurred_at"].iloc[0] == alert["opened_at"].iloc[0]
        assert alert["occurred_at"].iloc[-1] == alert["last_event_at"].iloc[0]
        assert alert["occurred_at"].diff().max() <= timedelta(hours=12) or len(alert) == 1


def test_alerts_of_several_accounts_from_one_network_are_a_campaign(company: Engine, tmp_path: Path) -> None:
    score(company)
    alert_from(company, 0.5)
    users = rows(company, "SELECT user_name FROM monitor.account ORDER BY 1 LIMIT 4")["user_name"]
    path = tmp_path / "campaign.csv"
    path.write_text(
        "event_id,occurred_at,user,ip,country,device_id\n"
        + "\n".join(
            f"c{i},{NOW.isoformat()},{user},{'203.0.113' if i else '198.51.100'}.{66 + i},KP,evil"
            for i, user in enumerate(users)
        )
    )
    ingest(company, [path], "csv", "late", now=NOW)
    assert score(company)["alerted"] == 4
    query = """
        SELECT v.event_id, t.campaign_id FROM reporting.alert t JOIN reporting.alert_event v USING (alert_id)
        WHERE v.source = 'late' ORDER BY v.event_id
    """
    alone, *together = rows(company, query)["campaign_id"]
    assert pd.isna(alone)
    assert len(set(together)) == 1
    assert together[0] is not None


def test_accounts_where_one_program_only_fails_are_a_campaign_whatever_its_networks(
    company: Engine, tmp_path: Path
) -> None:
    score(company)
    alert_from(company, 0.5)
    users = rows(company, "SELECT user_name FROM monitor.account ORDER BY 1 LIMIT 6")["user_name"]
    told = [  # the first got in, and the last is another program
        f"p{i},{(NOW - timedelta(hours=11) + timedelta(hours=2 * i)).isoformat()},{user},"
        f"203.{i}.113.9,KP,{'success' if i == 0 else 'failure'},{'curl/8' if i < 5 else 'python-requests/2'}"
        for i, user in enumerate(users)
    ]
    path = tmp_path / "botnet.csv"
    path.write_text("event_id,occurred_at,user,ip,country,outcome,user_agent\n" + "\n".join(told))
    ingest(company, [path], "csv", "late", now=NOW)
    assert score(company)["alerted"] == 6
    query = """
        SELECT t.campaign_id FROM reporting.alert t JOIN reporting.alert_event v USING (alert_id)
        WHERE v.source = 'late' ORDER BY v.event_id
    """
    hit, *together, other = rows(company, query)["campaign_id"]
    assert len(set(together)) == 1
    assert together[0] is not None
    assert pd.isna(hit)
    assert pd.isna(other)


@pytest.mark.parametrize(("hours_ago", "bound"), [(20, {"2", "3", "4"}), (2, {"0", "1", "2"})])
def test_an_alert_of_two_campaigns_belongs_to_the_one_that_began_first(
    hours_ago: int, bound: set[str], company: Engine, tmp_path: Path
) -> None:
    score(company)
    alert_from(company, 0.5)
    users = rows(company, "SELECT user_name FROM monitor.account ORDER BY 1 LIMIT 5")["user_name"]
    ways = [  # three fail by one program; the last of them, and two who get in, come from one network
        (13, "203.1.113.9", "failure"), (12, "203.2.113.9", "failure"), (11, "203.0.113.9", "failure"),
        (hours_ago, "203.0.113.10", "success"), (hours_ago, "203.0.113.11", "success"),
    ]  # fmt: skip
    told = [
        f"{i},{(NOW - timedelta(hours=ago)).isoformat()},{user},{ip},KP,{outcome},curl/8"
        for i, (user, (ago, ip, outcome)) in enumerate(zip(users, ways, strict=True))
    ]
    path = tmp_path / "both.csv"
    path.write_text("event_id,occurred_at,user,ip,country,outcome,user_agent\n" + "\n".join(told))
    ingest(company, [path], "csv", "late", now=NOW)
    assert score(company)["alerted"] == 5
    query = """
        SELECT v.event_id, t.campaign_id FROM reporting.alert t JOIN reporting.alert_event v USING (alert_id)
        WHERE v.source = 'late'
    """
    found = rows(company, query).set_index("event_id")["campaign_id"]
    assert set(found.index[found == found["2"]]) == bound


def test_baselines_can_be_read_and_their_shares_add_up(scored: Engine) -> None:
    shares = rows(scored, "SELECT user_name, feature, sum(share) AS total FROM reporting.baseline GROUP BY 1, 2")
    assert {"country", "device", "hour", "weekday", "browser"} <= set(shares["feature"])
    assert np.allclose(shares["total"].astype(float), 1)


def test_the_risk_of_a_day_adds_up_what_its_logins_exceed_ordinary_scores_by(scored: Engine) -> None:
    logins = rows(scored, SCORES)
    risk = rows(scored, "SELECT user_name, day, risk, max_score, events, alerts FROM reporting.user_risk")
    expected = (logins["score"].astype(float) - 2).clip(lower=0).sum()
    assert risk["risk"].sum() == pytest.approx(expected, rel=1e-4)
    assert risk["events"].sum() == len(logins)
    assert risk["alerts"].sum() == number(scored, "SELECT count(*) FROM reporting.alert")


def test_what_a_reviewer_vouched_for_in_advance_is_scored_and_learned_but_never_alerts(
    trained: Trained, make_database: Callable[[str], str]
) -> None:
    outcomes = []
    for vouched in (False, True):
        engine = open_url(make_database(trained.database))
        victim, device = rows(
            engine,
            """
            SELECT e.account_id::text AS account, e.device_id FROM monitor.unscored_event
            JOIN monitor.login_event e USING (account_id, source, event_id, occurred_at)
            WHERE e.device_id IS NOT NULL ORDER BY e.event_id LIMIT 1
            """,
        ).iloc[0]
        with writing(engine) as connection:
            connection.execute(text("UPDATE monitor.threshold SET value = 0"))
            if vouched:
                connection.execute(
                    text(
                        """
                        INSERT INTO monitor.scoped_dismissal
                        VALUES (gen_random_uuid(), gen_random_uuid(), :account, 'device', :device, 'ada',
                            CAST(:now AS timestamptz) - interval '1 day', CAST(:now AS timestamptz) + interval '1 day')
                        """
                    ),
                    {"account": victim, "device": device, "now": NOW},
                )
        score(engine)
        query = """
            SELECT count(*) FILTER (WHERE s.alerted) AS alerted, count(*) AS scored
            FROM monitor.login_score s JOIN monitor.login_event e USING (account_id, source, event_id, occurred_at)
            WHERE s.account_id::text = '{}' AND e.device_id = '{}'
        """
        outcomes.append(tuple(rows(engine, query.format(victim, device)).iloc[0]))
        engine.dispose()
    (alerted, scored), (spared, still_scored) = outcomes
    assert alerted > 0
    assert spared == 0
    assert still_scored == scored
