"""A real server's log, with history as thin as it gets: the burst of guessing must come out on top."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from companies import rows, settings_for
from sqlalchemy import Engine

from monitor.jobs.ingest import ingest
from monitor.jobs.score import score
from monitor.jobs.train import train
from monitor.sources import Options

LOG = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "sshd" / "auth.log"
NOW = datetime(2017, 6, 1, tzinfo=UTC)
UNTIL = datetime(2017, 3, 30, 13, tzinfo=UTC)


@pytest.mark.skipif(not LOG.exists(), reason="the sshd log is not beside the checkout (../shared/data/sshd/auth.log)")
@pytest.mark.parametrize("detector", ["lstm_autoencoder", "rarity"])
def test_the_burst_of_147_failed_passwords_is_the_top_alert_of_the_real_server_log(
    database: Engine, detector: str
) -> None:
    settings = settings_for(database, detector=detector)
    ingest(database, [LOG], "sshd", "sshd", now=NOW, options=Options(year=2017))
    train(database, settings, UNTIL, detector)
    score(database, settings, NOW)
    top, second = rows(database, "SELECT * FROM reporting.alert ORDER BY score DESC").iloc[:2].itertuples()
    assert top.user_name == "elastic_user_0"
    assert (top.opened_at.date().isoformat(), top.severity) == ("2017-03-30", "critical")
    assert top.score > second.score + 1
    assert "failures within the hour before" in top.headline
    failures = rows(
        database,
        "SELECT v.event->>'outcome' AS outcome FROM reporting.alert_event v WHERE v.alert_id = :alert",
        alert=top.alert_id,
    )
    assert (failures["outcome"] == "failure").sum() >= 130, "the burst is 147 failures; the first few are ordinary"
