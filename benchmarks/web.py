"""How fast the review pages answer: python -m benchmarks.web

Scored logins and alerts are written straight into the tables; then the real server answers 20 requests in parallel
for different alerts and accounts. Client, server and database share the machine. Beside the latency, which others on
the machine lengthen, stands the processor time of a page in server and database, which they hardly do, and the share of
the machine's time that the host of a virtual one gave to others.
"""

import argparse
import http.client
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import Engine, text

from benchmarks.common import fresh_database, report
from monitor.config import Settings, isolated_environment
from monitor.features import NAMES
from monitor.jobs.sign_in import open_session
from monitor.store.engine import reading, writing
from monitor.store.reviewers import add_reviewer, change_reviewer
from web import create_app

EVENTS, ALERTS, ACCOUNTS, DAYS = 2_000_000, 50_000, 20_000, 60
PARALLEL, REQUESTS = 20, 1_500

#: Requests of each client before the clock starts: a statement is prepared at its fifth use by a connection.
WARM_UP = 10

#: Where proc_stat(5) says how long a virtual machine waited for its host.
STOLEN = 7

FILL = (
    "SELECT monitor.ensure_month(month) FROM generate_series(now() - make_interval(days => :days + 31), now(),"
    " interval '1 month') AS month",
    "SELECT monitor.ensure_month(now())",
    """
    INSERT INTO monitor.model VALUES (gen_random_uuid(), 'lstm_autoencoder', 'active', :names, '', '{}', now(), now())
    """,
    """
    INSERT INTO monitor.account
    SELECT md5(n::text)::uuid, 'person' || n || '@corp.example', n % 256, now() FROM generate_series(1, :accounts) n
    """,
    """
    INSERT INTO monitor.account_state (account_id, updated_at, feature, value, weight, last_seen, summary, "window")
    SELECT account_id, now(), f.feature, f.value, f.weight, f.seen, '{}', ''
    FROM monitor.account CROSS JOIN LATERAL (
        SELECT array_agg(feature) AS feature, array_agg('value ' || n) AS value, array_agg((10.0 / n)::real) AS weight,
               array_agg(extract(epoch FROM now())::double precision) AS seen
        FROM unnest(ARRAY['country', 'city', 'asn', 'network', 'device', 'browser', 'os', 'application']) AS feature,
             generate_series(1, 6) n
    ) f
    """,
    """
    INSERT INTO monitor.login_event
    SELECT md5((1 + n % :accounts)::text)::uuid, 'vpn', n::text, now() - random() * make_interval(days => :days), 1,
           CASE WHEN n % 20 = 0 THEN 'failure' ELSE 'success' END, '192.0.2.7', 'DE', 'Berlin', 'Berlin', 52.5, 13.4,
           3320, 'Mozilla/5.0', 'Firefox', 'Linux', 'device ' || n % 3, 'password', 'mail', 20, now()
    FROM generate_series(1, :events) n
    """,
    """
    INSERT INTO monitor.login_score
    SELECT account_id, source, event_id, occurred_at, outcome, score, score * 3, 3.5, score > 3.5, model_id, now(),
           array_fill((score / 8)::real, ARRAY[cardinality(CAST(:names AS text[]))])
    FROM (SELECT *, (-log((random() + 1e-9)::numeric))::real AS score FROM monitor.login_event) e, monitor.model
    """,
    """
    INSERT INTO monitor.alert
    SELECT md5('alert' || n)::uuid, md5((1 + n % :accounts)::text)::uuid, at, at, 3.5 + random() * 4,
           (ARRAY['low', 'medium', 'high', 'critical'])[1 + n % 4],
           (ARRAY['open', 'open', 'confirmed', 'dismissed'])[1 + (n / 7) % 4],
           'First login from Lagos, NG; new device; 03:12 local', 3,
           CASE WHEN n % 10 = 0 THEN md5('campaign' || n / 100)::uuid END, n % 9 = 0, at, at
    FROM (SELECT n, now() - random() * make_interval(days => :days) AS at FROM generate_series(1, :alerts) n) t
    """,
    """
    INSERT INTO monitor.alert_event
    SELECT account_id, 'vpn', alert_id || '-' || n, opened_at, alert_id, score,
           jsonb_build_object('city', 'Lagos', 'country', 'NG', 'asn', 5002, 'ip', '192.0.2.9', 'outcome', 'success',
                              'user_agent', repeat('Mozilla ', 12), 'device_id', 'phone', 'application', 'mail'),
           (SELECT jsonb_agg(jsonb_build_object('feature', name, 'contribution', 5.0 / i, 'observed', 'observed ' || i,
                                                'usual', 'usual 60 %, other 30 %', 'new', i < 3))
            FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS u (name, i) WHERE i <= 10)
    FROM monitor.alert, generate_series(1, 3) n
    """,
    """
    INSERT INTO monitor.review
    SELECT gen_random_uuid(), alert_id, CASE status WHEN 'confirmed' THEN 'confirm' ELSE 'dismiss' END, 'ada', 'other',
           NULL, opened_at FROM monitor.alert WHERE status <> 'open'
    """,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--alerts", type=int, default=ALERTS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    arguments = parser.parse_args()
    with fresh_database() as (engine, settings):
        cookie = fill(engine, settings, arguments.events, arguments.alerts)
        rows = measure(engine, settings, cookie, arguments.requests)
    title = f"{arguments.events:,} logins, {arguments.alerts:,} alerts, {PARALLEL} requests in parallel (ms)"
    report("web", title, rows, load_of_the_machine=round(os.getloadavg()[0], 1))


def fill(engine: Engine, settings: Settings, events: int, alerts: int) -> str:
    """Write everything; returns the cookie of a signed-in reviewer."""
    values = {"events": events, "alerts": alerts, "accounts": ACCOUNTS, "days": DAYS, "names": list(NAMES)}
    now = datetime.now(UTC)
    with writing(engine) as connection:
        for statement in FILL:
            connection.execute(
                text(statement), {name: value for name, value in values.items() if f":{name}" in statement}
            )
        add_reviewer(connection, "ada", {"role": "admin", "password_hash": "none", "totp_secret": "none"}, now)
        change_reviewer(connection, "ada", must_change=False)
        token = open_session(connection, "ada", "127.0.0.1", now)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    app = create_app(settings)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    app.extensions["monitor"].dispose()
    assert signer is not None
    return f"monitor={signer.dumps({'token': token, 'csrf_token': token_hex(20)})}"


def measure(engine: Engine, settings: Settings, cookie: str, requests: int) -> list[dict[str, Any]]:
    with reading(engine) as connection:
        query = "SELECT alert_id, account_id FROM monitor.alert ORDER BY md5(alert_id::text) LIMIT 1000"
        found = connection.execute(text(query)).all()
    pages: dict[str, Sequence[str]] = {
        "queue": ["/"],
        "queue, filtered": [
            "/?severity=high&sort=newest",
            "/?account=person77",
            "/?reason=device&page=3",
            "/?status=all&page=200",
        ],
        "alert": [f"/alerts/{row.alert_id}" for row in found],
        "account": [f"/accounts/{row.account_id}" for row in found],
    }
    environment = isolated_environment(data_dir=str(settings.data_dir))
    command = [sys.executable, "-m", "monitor", "web", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = urlsplit(server.stdout.readline().split()[-1])
            get = _getter(str(address.hostname), int(address.port or 0), cookie)
            return [_timed(name, paths, get, requests, server.pid, engine) for name, paths in pages.items()]
        finally:
            server.terminate()


def _timed(
    name: str, paths: Sequence[str], get: Callable[[str], tuple[float, int]], requests: int, server: int, engine: Engine
) -> dict[str, Any]:
    """Latencies over many requests, after a few that warm caches and prepared statements up."""
    chosen = random.Random(7).choices(paths, k=requests)
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(get, (chosen * WARM_UP)[: PARALLEL * WARM_UP]))
        before, machine = _spent(server, engine), _machine()
        started = time.perf_counter()
        taken = list(pool.map(get, chosen))
        seconds = time.perf_counter() - started
        spent = [after - then for after, then in zip(_spent(server, engine), before, strict=True)]
        passed = [after - then for after, then in zip(_machine(), machine, strict=True)]
    milliseconds = sorted(1000 * second for second, _ in taken)
    cuts = statistics.quantiles(milliseconds, n=100)
    return {
        "page": name,
        "p50": cuts[49],
        "p95": cuts[94],
        "p99": cuts[98],
        "requests/s": requests / seconds,
        "server CPU": 1000 * spent[0] / requests,
        "database CPU": 1000 * spent[1] / requests,
        "stolen %": 100 * passed[STOLEN] / sum(passed),
        "kB": max(size for _, size in taken) / 1000,
    }


def _spent(server: int, engine: Engine) -> tuple[float, float]:
    """Seconds of processor time that the server's processes and the database's sessions have used so far."""
    with engine.connect() as connection:
        sessions = connection.scalars(text("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"))
        return sum(map(_used, [server, *_children(server)])), sum(map(_used, sessions))


def _machine() -> list[int]:
    """What all processors did so far, in ticks: the first eight figures of proc_stat(5)."""
    return [int(ticks) for ticks in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]]


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _used(process: int) -> float:
    """Fields 14 and 15 of proc_pid_stat(5): ticks in user and kernel mode."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _getter(host: str, port: int, cookie: str) -> Callable[[str], tuple[float, int]]:
    def get(path: str) -> tuple[float, int]:
        connection = http.client.HTTPConnection(host, port, timeout=60)
        started = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        body = response.read()
        taken = time.perf_counter() - started
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")
        return taken, len(body)

    return get


if __name__ == "__main__":
    main()
