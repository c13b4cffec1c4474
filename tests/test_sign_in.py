"""Signing in: password and one-time code together, tries bounded across processes, sessions that end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyotp import TOTP
from sqlalchemy import Engine, text

from monitor.credentials import PasswordError
from monitor.jobs.reviewers import Credentials, ReviewerError, add_reviewer, disable_reviewer, reset_reviewer
from monitor.jobs.sign_in import (
    IDLE,
    LONGEST,
    SignInError,
    change_password,
    find_session,
    keep_awake,
    sign_in,
    sign_out,
)
from monitor.store.engine import reading
from monitor.vault import Vault

NOW = datetime(2025, 11, 3, 8, tzinfo=UTC)
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "secret.key")


@pytest.fixture
def ada(database: Engine, vault: Vault) -> Credentials:
    return add_reviewer(database, vault, "Ada", "reviewer", NOW)


def enter(engine: Engine, vault: Vault, who: Credentials, now: datetime = NOW, address: str = HOME) -> str:
    return sign_in(engine, vault, who.name, who.password, TOTP(who.secret).at(now), address, now)


def session_of(engine: Engine, token: str, now: datetime) -> tuple[str, str, bool] | None:
    """What a request at ``now`` learns of its session."""
    with reading(engine) as connection:
        found = find_session(connection, token, now)
    if found is not None and found.stale:
        keep_awake(engine, token, now)
    return (found.name, found.role, found.must_change) if found else None


def fail(engine: Engine, vault: Vault, times: int, now: datetime, address: str, name: str = "ada") -> datetime:
    """Wrong tries, each after the wait that the one before asked for; returns the moment after."""
    for _ in range(times):
        now += timedelta(seconds=65)
        with pytest.raises(SignInError, match="is wrong"):
            sign_in(engine, vault, name, "guess", "000000", address, now)
    return now


def test_name_password_and_code_together_open_a_session(database: Engine, vault: Vault, ada: Credentials) -> None:
    assert session_of(database, enter(database, vault, ada), NOW) == ("ada", "reviewer", True)


@pytest.mark.parametrize("wrong", ["name", "password", "code"])
def test_a_wrong_part_is_not_told_apart_from_the_others(
    wrong: str, database: Engine, vault: Vault, ada: Credentials
) -> None:
    given = {"name": "ada", "password": ada.password, "code": TOTP(ada.secret).at(NOW)} | {wrong: "x"}
    with pytest.raises(SignInError) as raised:
        sign_in(database, vault, given["name"], given["password"], given["code"], HOME, NOW)
    assert str(raised.value) == "name, password or code is wrong"


def test_a_code_works_once_and_an_old_one_not_at_all(database: Engine, vault: Vault, ada: Credentials) -> None:
    code = TOTP(ada.secret).at(NOW)
    sign_in(database, vault, "ada", ada.password, code, HOME, NOW)
    for moment in (NOW, NOW + timedelta(minutes=2)):
        with pytest.raises(SignInError, match="is wrong"):
            sign_in(database, vault, "ada", ada.password, code, HOME, moment)


def test_ten_tries_an_hour_are_the_most_even_for_names_that_nobody_has(
    database: Engine, vault: Vault, ada: Credentials
) -> None:
    for name in ("ada", "nobody"):
        later = fail(database, vault, 10, NOW, ELSEWHERE, name) + timedelta(minutes=2)
        with pytest.raises(SignInError, match="too many tries; wait") as raised:
            sign_in(database, vault, name, ada.password, TOTP(ada.secret).at(later), ELSEWHERE, later)
        assert 0 < raised.value.retry_seconds <= 3600
    assert enter(database, vault, ada, NOW + timedelta(hours=2), ELSEWHERE)


def test_strangers_do_not_lock_the_owner_out_of_a_known_address(
    database: Engine, vault: Vault, ada: Credentials
) -> None:
    enter(database, vault, ada)
    later = fail(database, vault, 10, NOW, ELSEWHERE) + timedelta(minutes=2)
    with pytest.raises(SignInError, match="too many tries"):
        enter(database, vault, ada, later, "203.0.113.9")
    assert enter(database, vault, ada, later, HOME)


def test_the_wait_doubles_with_each_failure(database: Engine, vault: Vault, ada: Credentials) -> None:
    later = fail(database, vault, 6, NOW, HOME)
    with pytest.raises(SignInError) as raised:
        enter(database, vault, ada, later)
    assert raised.value.retry_seconds == 8


def test_guesses_in_parallel_are_counted_like_guesses_in_a_row(
    database: Engine, vault: Vault, ada: Credentials
) -> None:
    def guess(_: int) -> str:
        try:
            return sign_in(database, vault, "ada", "guess", "000000", ELSEWHERE, NOW)
        except SignInError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(guess, range(12)))
    assert sum("is wrong" in one for one in told) == 3  # the free ones; the others were asked to wait
    assert sum("too many" in one for one in told) == 9


def test_one_address_cannot_guess_under_many_names(database: Engine, vault: Vault) -> None:
    for number in range(50):
        with pytest.raises(SignInError, match="is wrong"):
            sign_in(database, vault, f"name{number}", "guess", "000000", ELSEWHERE, NOW)
    with pytest.raises(SignInError, match="too many tries"):
        sign_in(database, vault, "name50", "guess", "000000", ELSEWHERE, NOW)


def test_a_session_ends_when_idle_when_old_and_at_sign_out(database: Engine, vault: Vault, ada: Credentials) -> None:
    token = enter(database, vault, ada)
    assert session_of(database, token, NOW + IDLE) is None
    for hours in range(1, 13):  # kept awake
        session_of(database, token, NOW + timedelta(hours=hours) - timedelta(minutes=5 * hours))
    assert session_of(database, token, NOW + LONGEST) is None
    token = enter(database, vault, ada, NOW + LONGEST)
    sign_out(database, token, "ada", HOME)
    assert session_of(database, token, NOW + LONGEST) is None


def test_disabling_and_resetting_end_every_session(database: Engine, vault: Vault, ada: Credentials) -> None:
    token = enter(database, vault, ada)
    disable_reviewer(database, "ada", NOW)
    assert session_of(database, token, NOW) is None
    later = NOW + timedelta(minutes=1)
    with pytest.raises(SignInError, match="is wrong"):
        enter(database, vault, ada, later)
    fresh = reset_reviewer(database, vault, "ada", later)
    assert enter(database, vault, fresh, later + timedelta(minutes=1))
    with pytest.raises(SignInError, match="is wrong"):
        enter(database, vault, ada, later + timedelta(minutes=2))


def test_a_new_password_ends_the_other_sessions(database: Engine, vault: Vault, ada: Credentials) -> None:
    token, other = enter(database, vault, ada), enter(database, vault, ada, NOW + timedelta(seconds=30))
    fresh = change_password(database, "ada", ada.password, "correct horse battery", HOME, NOW)
    assert [session_of(database, one, NOW) for one in (token, other)] == [None, None]
    assert session_of(database, fresh, NOW) == ("ada", "reviewer", False)


@pytest.mark.parametrize("new", ["short", "x" * 201, "aaaaaaaaaaaaaa", "ada-is-my-name-12"])
def test_a_weak_password_is_refused_and_nothing_changes(
    new: str, database: Engine, vault: Vault, ada: Credentials
) -> None:
    with pytest.raises(PasswordError):
        change_password(database, "ada", ada.password, new, HOME, NOW)
    assert session_of(database, enter(database, vault, ada), NOW) == ("ada", "reviewer", True)


def test_a_reset_lets_the_owner_in_at_once_whoever_keeps_guessing(
    database: Engine, vault: Vault, ada: Credentials
) -> None:
    later = fail(database, vault, 10, NOW, ELSEWHERE) + timedelta(minutes=2)
    with pytest.raises(SignInError, match="too many tries"):
        enter(database, vault, ada, later, "203.0.113.9")
    assert enter(database, vault, reset_reviewer(database, vault, "ada", later), later, "203.0.113.9")


@pytest.mark.parametrize("name", ["", "a b", "<b>", "-x", "é", "x" * 101])
def test_a_name_is_plain(name: str, database: Engine, vault: Vault) -> None:
    with pytest.raises(ReviewerError, match="a name has"):
        add_reviewer(database, vault, name, "viewer", NOW)


def test_a_name_is_taken_once_whatever_its_capitals(database: Engine, vault: Vault, ada: Credentials) -> None:
    with pytest.raises(ReviewerError, match="already"):
        add_reviewer(database, vault, "ADA", "viewer", NOW)


def test_neither_password_nor_token_nor_secret_is_stored(database: Engine, vault: Vault, ada: Credentials) -> None:
    token = enter(database, vault, ada)
    with reading(database) as connection:
        tables = [
            str(connection.execute(text(f"SELECT * FROM monitor.{name}")).all())
            for name in ("reviewer", "web_session", "sign_in_try", "audit")
        ]
    assert not any(secret in table for table in tables for secret in (token, ada.password, ada.secret))


def test_every_try_and_act_is_in_the_audit_log(database: Engine, vault: Vault, ada: Credentials) -> None:
    fail(database, vault, 1, NOW, ELSEWHERE)
    sign_out(database, enter(database, vault, ada, NOW + timedelta(minutes=3)), "ada", HOME)
    disable_reviewer(database, "ada", NOW)
    with reading(database) as connection:
        found = connection.execute(text("SELECT actor, action, address FROM monitor.audit ORDER BY audit_id")).all()
    assert found == [
        ("operator", "reviewer added", "command line"),
        ("ada", "sign in refused", ELSEWHERE),
        ("ada", "sign in", HOME),
        ("ada", "sign out", HOME),
        ("operator", "reviewer disabled", "command line"),
    ]
