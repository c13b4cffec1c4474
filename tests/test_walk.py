"""The walk of one login, from a line of a file to the threshold that its verdict helps to set.

Read from top to bottom: every step is the function that does it, and what it leaves in the database.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from companies import NOW, UNTIL, number, rows, settings_for, trained_company
from sqlalchemy import Engine

from monitor.jobs.calibrate import calibrate
from monitor.jobs.ingest import ingest
from monitor.jobs.review import review
from monitor.jobs.score import score
from monitor.jobs.train import train
from monitor.store.engine import open_url

MARCH_19 = UNTIL + timedelta(days=1, hours=2)

LINE = (
    "walk,{at},{user},success,203.0.113.7,NG,Lagos,Lagos,6.45,3.39,29465,"
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0,stolen-laptop,password,cloud-console,"
)
HEADER = (
    "event_id,occurred_at,user,outcome,ip,country,region,city,latitude,longitude,asn,"
    "user_agent,device_id,auth_method,application,rtt_ms"
)


def test_one_login_from_a_line_of_csv_to_a_new_threshold(
    make_database: Callable[[str], str], template: str, tmp_path: Path
) -> None:
    # A company whose first sixteen days are learned: baselines, an active model, a first threshold.
    url = make_database(template)
    trained_company(url)
    engine = open_url(url)
    settings = settings_for(engine, alerts_per_day=0.5)
    user = somebody_in_germany(engine)

    # One line of a file: at two in the night somebody logs in as them from Lagos.
    path = tmp_path / "logins.csv"
    path.write_text(f"{HEADER}\n{LINE.format(at=MARCH_19.isoformat(), user=user)}\n")

    # ingest: validated, stored once, and queued for its score.
    assert ingest(engine, [path], "csv", "walk", now=NOW).stored == 1
    assert ingest(engine, [path], "csv", "walk", now=NOW).duplicate == 1
    event = rows(engine, "SELECT * FROM reporting.login_event WHERE event_id = 'walk'").iloc[0]
    assert (event["user_name"], event["browser"], event["os"]) == (user, "Firefox", "Linux")
    assert number(engine, "SELECT count(*) FROM monitor.unscored_event WHERE event_id = 'walk'") == 1

    # score: measured against the account's baseline as it was before, calibrated, and over the threshold.
    score(engine, settings, NOW)
    scored = rows(engine, "SELECT * FROM reporting.login_score WHERE event_id = 'walk'").iloc[0]
    assert scored["alerted"]
    assert scored["score"] >= scored["threshold"] == number(engine, "SELECT value FROM reporting.threshold")
    assert number(engine, "SELECT count(*) FROM monitor.unscored_event") == 0

    # Its attribution says which evidence made it odd; the parts add up.
    parts = rows(
        engine,
        "SELECT feature, contribution, observed, usual FROM reporting.attribution WHERE event_id = 'walk'",
    ).set_index("feature")
    assert abs(parts["contribution"].sum() - scored["raw"]) < 1e-3
    assert parts.loc["country", "observed"] == "NG"
    assert parts.loc["country", "usual"].startswith("DE ")
    assert parts.loc["device", "observed"] == "stolen-laptop"

    # alert: one incident, told in one line.
    alert = rows(
        engine,
        "SELECT t.* FROM reporting.alert t JOIN reporting.alert_event v USING (alert_id) WHERE v.event_id = 'walk'",
    ).iloc[0]
    assert (alert["user_name"], alert["status"]) == (user, "open")
    assert "irst login from Lagos, NG, 4,884 km from the last one 16 hours earlier" in alert["headline"]

    # What alerts is not learned.
    assert "stolen-laptop" not in usual(engine, user, "device")

    # review: somebody confirms it, and no training will ever learn it.
    assert review(engine, alert["alert_id"], "confirm", "kim", "called them: they are in Berlin", NOW)
    train(engine, settings, NOW, "rarity")
    assert "stolen-laptop" not in usual(engine, user, "device")
    assert {"DE"} <= usual(engine, user, "country")

    # calibrate: the next threshold is a row of its own, which counts the verdict and says why it stands there.
    before = number(engine, "SELECT max(threshold_id) FROM reporting.threshold")
    calibrate(engine, settings, NOW)
    threshold = rows(engine, "SELECT * FROM reporting.threshold ORDER BY threshold_id").iloc[-1]
    assert threshold["threshold_id"] > before
    assert (threshold["decided_by"], threshold["reviews_used"]) == ("calibrate", 1)
    assert "0.5 alerts a day" in threshold["basis"]
    assert threshold["expected_precision"] > 0.5
    engine.dispose()


def somebody_in_germany(engine: Engine) -> str:
    """An account with many logins from Germany; the one with most is attacked in those days."""
    query = "SELECT user_name FROM reporting.baseline WHERE feature = 'country' AND value = 'DE' ORDER BY weight DESC"
    user: str = rows(engine, query)["user_name"].loc[lambda names: ~names.str.startswith("svc")].iloc[1]
    return user


def usual(engine: Engine, user: str, feature: str) -> set[str]:
    query = "SELECT value FROM reporting.baseline WHERE user_name = :user AND feature = :feature"
    return set(rows(engine, query, user=user, feature=feature)["value"])
