"""Several processes tell at once, and some are killed: each notice is told at least once, with one key."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from receivers import HttpReceiver
from sqlalchemy import Engine
from telling import NOW, file_channel, lines, open_alert, rows
from written import execute

from monitor.config import Settings
from monitor.jobs import notify
from monitor.store import deliveries
from monitor.store.engine import writing


def test_a_notice_whose_sender_was_killed_between_sending_and_marking_is_repeated_with_the_same_key(
    database: Engine, with_hook: Settings, http: HttpReceiver
) -> None:
    open_alert(database)
    http.will(204, seconds=1.5)  # long enough to be killed while the answer is awaited
    script = f"""
import sys, json, datetime
from pydantic import SecretStr
from monitor.channels.settings import ChannelSettings
from monitor.config import Settings
from monitor.jobs import notify
from monitor.store.engine import open_url
given = json.load(sys.stdin)
settings = Settings(channels=[ChannelSettings(**given["channel"])])
notify.run(open_url(given["url"]), settings, datetime.datetime.fromisoformat("{NOW.isoformat()}"), "hook")
"""
    channel = with_hook.channels[0]
    given = {
        "url": database.url.render_as_string(hide_password=False),
        "channel": {
            "name": "hook", "kind": "webhook", "target": channel.target.get_secret_value(), "allow_private": True,
            "secret": channel.secret.get_secret_value() if channel.secret else "",
        },
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, start_new_session=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    deadline = time.monotonic() + 30
    while not http.received:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)  # with the process that sends: both are gone before the answer
    process.wait()
    assert rows(database) == [("hook", "opened", "high", "pending", 1)]
    assert notify.run(database, with_hook, NOW, "hook")["delivered"] == 0  # the lease still runs
    execute(database, "UPDATE monitor.delivery SET leased_until = clock_timestamp() - interval '1 s'")
    assert notify.run(database, with_hook, NOW, "hook")["delivered"] == 1
    first, second = http.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert rows(database) == [("hook", "opened", "high", "delivered", 2)]


def test_many_notifiers_at_once_send_each_notice_once(database: Engine, with_file: Settings, told: Path) -> None:
    for number in range(30):
        open_alert(database, user=f"user{number}")
    barrier = Barrier(4)

    def run() -> dict[str, int | float | str]:
        barrier.wait()
        return notify.run(database, with_file, NOW, "siem")

    with ThreadPoolExecutor(4) as pool:
        counts = [future.result() for future in [pool.submit(run) for _ in range(4)]]
    assert sum(int(count["delivered"]) for count in counts) == 30
    assert set(Counter(line["id"] for line in lines(told)).values()) == {1}
    assert len(lines(told)) == 30


def test_a_late_failure_does_not_take_back_what_another_process_delivered(database: Engine) -> None:
    open_alert(database)
    with writing(database) as connection:
        deliveries.decide(connection, deliveries.Wanted("siem", "low"), NOW, NOW)
        slow = deliveries.claim(connection, "siem", NOW, 0.0, critical_only=False)
        quick = deliveries.claim(connection, "siem", NOW, 60.0, critical_only=False)
        assert slow is not None and quick is not None
        deliveries.failed(connection, slow, "late", NOW)
    execute(database, "UPDATE monitor.alert SET severity = severity")
    with writing(database) as connection:
        assert deliveries.claim(connection, "siem", NOW, 60.0, critical_only=False) is None  # still the quick one's
        deliveries.delivered(connection, quick, NOW)
        deliveries.failed(connection, slow, "later still", None)
    assert rows(database) == [("siem", "opened", "high", "delivered", 2)]


def test_a_slow_channel_delays_neither_another_channel_nor_a_change_of_the_alert(
    database: Engine, with_hook: Settings, http: HttpReceiver, told: Path
) -> None:
    settings = with_hook.model_copy(update={"channels": [*with_hook.channels, file_channel(told)]})
    open_alert(database)
    http.will(204, seconds=3)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(notify.run, database, settings, NOW, "hook")
        while not http.received:
            time.sleep(0.02)
        asked = time.monotonic()
        assert notify.run(database, settings, NOW, "siem")["delivered"] == 1
        execute(database, "UPDATE monitor.alert SET event_count = 2")
        assert time.monotonic() - asked < 2
        assert not slow.done()
        assert slow.result()["delivered"] == 1
