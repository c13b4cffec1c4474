"""TOTP secrets are sealed: a copy of the database makes no codes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pyotp import TOTP
from sqlalchemy import Engine, text

from monitor.jobs.reviewers import add_reviewer, check_secrets, reseal
from monitor.jobs.sign_in import sign_in
from monitor.store.engine import reading
from monitor.vault import Vault, VaultError

NOW = datetime(2025, 11, 3, 8, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inner" / "secret.key"


def test_what_is_sealed_opens_again_and_says_nothing(path: Path) -> None:
    sealed = Vault(path).seal(SECRET)
    assert SECRET not in sealed
    assert Vault(path).open(sealed) == SECRET


def test_the_key_is_made_once_for_its_owner_alone(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda _: Vault(path).seal(SECRET), range(16)))
    assert [Vault(path).open(one) for one in sealed] == [SECRET] * 16
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secret.key"]


def test_a_secret_from_before_there_was_a_key_is_as_it_stands(path: Path) -> None:
    assert Vault(path).open(SECRET) == SECRET


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot read the key file"), ("nonsense", "holds no keys"), ("", "holds no keys"),
     (Fernet.generate_key().decode(), "another installation")],
)  # fmt: skip
def test_a_wrong_key_is_one_clear_line(content: str | None, says: str, path: Path) -> None:
    sealed = Vault(path).seal(SECRET)
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(VaultError, match=says) as raised:
        Vault(path).open(sealed)
    assert "\n" not in str(raised.value)


def test_keys_are_exchanged_without_anybody_noticing(database: Engine, path: Path) -> None:
    vault = Vault(path)
    ada = add_reviewer(database, vault, "ada", "reviewer", NOW)
    old = path.read_text()
    new = Fernet.generate_key().decode()
    path.write_text(f"{new}\n{old}")
    assert reseal(database, vault) == 1
    path.write_text(new)
    check_secrets(database, vault)
    assert sign_in(database, vault, "ada", ada.password, TOTP(ada.secret).at(NOW), "192.0.2.1", NOW)
    with reading(database) as connection:
        assert "secrets sealed anew" in connection.scalars(text("SELECT action FROM monitor.audit")).all()
    path.write_text(old)
    with pytest.raises(VaultError):
        check_secrets(database, vault)
