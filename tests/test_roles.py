"""Every role's rights on tables and functions are written down here, and hold."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from written import execute

from monitor.store import partitions
from monitor.store.engine import acting, reading, writing
from monitor.store.roles import INGEST, REPORTING, SCORER, WEB
from monitor.store.schema import upgrade

#: Table → role → rights: of s(elect), i(nsert), u(pdate), d(elete); lower case where only some columns. A new table has
#: to be decided on here, and in the migration that makes it.
MEANT = {
    "account": {INGEST: "s I", SCORER: "S D", WEB: "S"},
    "account_day": {},
    "account_state": {SCORER: "S I U D"},
    "alembic_version": {INGEST: "S", SCORER: "S", WEB: "S"},
    "alert": {SCORER: "S I u", WEB: "S u"},
    "alert_event": {SCORER: "S I u", WEB: "S"},
    "assignment": {WEB: "S I u"},
    "audit": {WEB: "S"},
    "comment": {WEB: "S I"},
    "delivery": {SCORER: "S I U D"},
    "erasure": {INGEST: "s"},
    "job_run": {INGEST: "I", SCORER: "S I U D"},
    "lease": {SCORER: "S I U", WEB: "S"},
    "login_event": {INGEST: "s I", SCORER: "S", WEB: "s"},
    "login_score": {SCORER: "S I", WEB: "s"},
    "model": {SCORER: "S I u", WEB: "s"},
    "pseudonym_key": {INGEST: "S I"},
    "population_state": {SCORER: "S I U D"},
    "quarantined_event": {SCORER: "S I D", WEB: "S"},
    "recalibration": {SCORER: "S I", WEB: "S"},
    "rejected_record": {INGEST: "I", SCORER: "S D", WEB: "S"},
    "review": {SCORER: "S", WEB: "S I"},
    "reviewer": {WEB: "S u"},
    "scoped_dismissal": {SCORER: "S", WEB: "S I u"},
    "score_day": {},
    "sign_in_try": {WEB: "S I D"},
    "source_cursor": {INGEST: "S I U"},
    "source_total": {INGEST: "S I U"},
    "threshold": {SCORER: "S I", WEB: "S"},
    "traffic_state": {SCORER: "S I U D"},
    "unscored_event": {INGEST: "I", SCORER: "S D", WEB: "S"},
    "web_secret": {WEB: "S"},
    "web_session": {WEB: "S I u D"},
}
#: What a table's SELECT, INSERT, UPDATE or DELETE may not make possible, by role.
FORBIDDEN = {
    INGEST: [
        "SELECT * FROM monitor.login_event",
        "SELECT user_name FROM monitor.account",
        "SELECT * FROM monitor.login_score",
        "SELECT * FROM reporting.login_score",
        "SELECT * FROM monitor.rejected_record",
        "INSERT INTO monitor.review SELECT * FROM monitor.review",
        "INSERT INTO monitor.threshold (value) VALUES (9)",
        "UPDATE monitor.login_event SET outcome = 'success'",
        "DELETE FROM monitor.unscored_event",
        "UPDATE monitor.lease SET expires_at = now()",
        "SELECT monitor.drop_month('2020-01-01Z')",
        "SELECT monitor.audit_append('a', 'b', 'c', '{}', 'd')",
        "CREATE TABLE monitor.mine (x int)",
    ],
    SCORER: [
        "INSERT INTO monitor.review (review_id) VALUES (gen_random_uuid())",
        "UPDATE monitor.review SET verdict = 'dismiss'",
        "UPDATE monitor.alert SET status = 'dismissed'",
        "DELETE FROM monitor.alert",
        "UPDATE monitor.login_score SET score = 0",
        "UPDATE monitor.threshold SET value = 9",
        "UPDATE monitor.model SET weights = ''",
        "INSERT INTO monitor.login_event (source) VALUES ('x')",
        "DELETE FROM monitor.login_event",
        "SELECT * FROM monitor.reviewer",
        "INSERT INTO monitor.reviewer (name) VALUES ('eve')",
        "SELECT * FROM monitor.web_session",
        "SELECT * FROM monitor.audit",
        "UPDATE monitor.audit SET actor = 'eve'",
        "SELECT monitor.audit_append('a', 'b', 'c', '{}', 'd')",
        "UPDATE monitor.account_day SET risk = 0",
        "SELECT monitor.ensure_month(now())",
        "DROP TABLE monitor.login_event",
        "CREATE TABLE monitor.mine (x int)",
    ],
    WEB: [
        "INSERT INTO monitor.login_score (source) VALUES ('x')",
        "INSERT INTO monitor.threshold (value) VALUES (9)",
        "UPDATE monitor.model SET status = 'retired'",
        "UPDATE monitor.lease SET expires_at = now()",
        "SELECT * FROM monitor.account_state",
        "SELECT monitor.drop_month('2020-01-01Z')",
        "SELECT monitor.ensure_month(now())",
    ],
    REPORTING: [
        "SELECT * FROM monitor.login_event",
        "SELECT * FROM monitor.alembic_version",
        "DELETE FROM reporting.review",
        "INSERT INTO reporting.review (alert_id) VALUES (gen_random_uuid())",
        "UPDATE reporting.threshold SET value = 9",
        "CREATE TABLE reporting.mine (x int)",
        "SELECT monitor.ensure_month(now())",
        "SELECT monitor.audit_append('a', 'b', 'c', '{}', 'd')",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
    ],
}  # fmt: skip


def test_every_role_has_the_rights_that_are_meant_on_every_table(database: Engine) -> None:
    query = """
        SELECT relname, rolname, string_agg(CASE WHEN whole THEN upper(left(rights, 1)) ELSE lower(left(rights, 1)) END,
                                            ' ' ORDER BY n)
        FROM pg_class
        CROSS JOIN pg_roles
        CROSS JOIN LATERAL (
            SELECT n, rights, has_table_privilege(rolname, pg_class.oid, rights) AS whole
            FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
                WITH ORDINALITY AS r (rights, n)
            WHERE has_table_privilege(rolname, pg_class.oid, rights)
               OR (n IN (1, 2, 3, 6) AND has_any_column_privilege(rolname, pg_class.oid, rights))
        ) held
        WHERE relnamespace = 'monitor'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
          AND rolname IN ('monitor_ingest', 'monitor_scorer', 'monitor_web', 'monitor_reporting')
        GROUP BY relname, rolname
    """
    tables = """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'monitor'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    """
    with reading(database) as connection:
        found: dict[str, dict[str, str]] = {name: {} for name in connection.scalars(text(tables))}
        for table, role, rights in connection.execute(text(query)):
            found[table][role] = rights
    assert found == MEANT


def test_every_role_may_execute_the_functions_that_it_is_meant_to(database: Engine) -> None:
    query = """
        SELECT rolname, array_agg(DISTINCT proname::text) FROM pg_proc CROSS JOIN pg_roles
        WHERE pronamespace IN ('monitor'::regnamespace, 'reporting'::regnamespace)
          AND rolname IN ('monitor_ingest', 'monitor_scorer', 'monitor_web', 'monitor_reporting')
          AND has_function_privilege(rolname, pg_proc.oid, 'EXECUTE')
        GROUP BY rolname
    """
    with reading(database) as connection:
        assert dict(connection.execute(text(query)).all()) == {
            INGEST: ["ensure_month"],
            SCORER: ["drop_month", "threshold_rollback"],
            WEB: ["audit_append", "audit_breaks", "audit_hash", "threshold_rollback"],
            REPORTING: ["answer"],
        }


def test_what_runs_with_the_owners_rights_has_a_fixed_search_path(database: Engine) -> None:
    query = """
        SELECT proname FROM pg_proc
        WHERE pronamespace IN ('monitor'::regnamespace, 'reporting'::regnamespace) AND prosecdef
          AND NOT coalesce(proconfig::text LIKE '%%search_path=%%pg_temp%%', false)
    """
    with reading(database) as connection:
        assert connection.scalars(text(query)).all() == []


@pytest.mark.parametrize("role", FORBIDDEN)
def test_a_role_may_not_do_what_others_are_for(role: str, database: Engine) -> None:
    for forbidden in FORBIDDEN[role]:
        with pytest.raises(DBAPIError, match=r"permission denied|must be (owner|superuser)"):
            execute(acting(database, role), forbidden)


def test_a_month_that_is_not_over_cannot_be_dropped(database: Engine) -> None:
    with pytest.raises(DBAPIError, match="is not over"), writing(acting(database, SCORER)) as connection:
        partitions.drop_month(connection, datetime.now(UTC))


def test_only_who_loads_and_scores_may_make_temporary_tables(empty_database: Engine) -> None:
    upgrade(empty_database)  # rights on a database are not copied with a template
    for role, may in ((INGEST, True), (SCORER, True), (WEB, False), (REPORTING, False)):
        try:
            execute(acting(empty_database, role), "CREATE TEMPORARY TABLE mine (x int) ON COMMIT DROP")
            made = True
        except DBAPIError as error:
            assert "permission denied" in str(error)
            made = False
        assert made == may, role
