"""Secrets that have to be read again (those of one-time codes), sealed with a key that lies outside the database.

Whoever gets hold of a copy of the database, a dump or a replica, cannot make codes with it. Sealing is Fernet (AES-128
in CBC mode, authenticated by HMAC-SHA256) of the library cryptography.
"""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from monitor.events import MonitorError

#: What a token of Fernet begins with (version 0x80 in base64); secrets in base32 never do.
_SEALED = "gAAAA"


class VaultError(MonitorError):
    """The key is missing, is none, or is not the one that a secret was sealed with."""


class Vault:
    """Seals with the first key of a file, one a line; opens with any of them, so that keys can be exchanged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def seal(self, secret: str) -> str:
        """The secret as it is stored. Makes the file with a new key where there is none."""
        if not self.path.exists():
            self._create()
        return self._keys().encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret; one that was stored before there was a key is as it stands."""
        if not sealed.startswith(_SEALED):
            return sealed
        try:
            return self._keys().decrypt(sealed).decode()
        except InvalidToken:
            raise VaultError(f"no key in {self.path} opens what is stored; is it another installation's?") from None

    def _keys(self) -> MultiFernet:
        try:
            return MultiFernet([Fernet(line) for line in self.path.read_text().split()])
        except OSError as error:
            raise VaultError(f"cannot read the key file {self.path}: {error.strerror} (SECRET_KEY_FILE)") from None
        except ValueError:
            raise VaultError(f"{self.path} holds no keys as `monitor reviewer add` makes them") from None

    def _create(self) -> None:
        """Write a new key for the eyes of its owner alone; of two at once, one is first and the other takes its key."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.path.parent, prefix=f"{self.path.name}.") as file:  # its mode is 0600
                file.write(Fernet.generate_key() + b"\n")
                file.flush()
                with suppress(FileExistsError):
                    os.link(file.name, self.path)
        except OSError as error:
            raise VaultError(f"cannot write the key file {self.path}: {error.strerror} (SECRET_KEY_FILE)") from None
