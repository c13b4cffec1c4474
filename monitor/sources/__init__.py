"""Where logins come from. A new source is one file here and one line in a registry.

A file source is a function `(stream, options) -> Iterator[RawChunk]` (`base.Source`) in `REGISTRY`, under the name that
`monitor ingest --format` takes. `sql` is for databases: what to ask them, and how far a pull has come.
"""

from collections.abc import Mapping

from monitor.sources.asana import ASANA
from monitor.sources.auth0 import AUTH0
from monitor.sources.base import CHUNK_RECORDS, Options, RawChunk, Source
from monitor.sources.box import BOX
from monitor.sources.canonical import read_csv, read_jsonl
from monitor.sources.cloudtrail import CLOUDTRAIL
from monitor.sources.duo import DUO
from monitor.sources.ecs import ECS
from monitor.sources.entra import ENTRA
from monitor.sources.google_workspace import GOOGLE_WORKSPACE
from monitor.sources.keycloak import KEYCLOAK
from monitor.sources.lines import decompressed
from monitor.sources.microsoft365 import MICROSOFT365
from monitor.sources.notion import NOTION
from monitor.sources.ocsf import OCSF
from monitor.sources.okta import OKTA
from monitor.sources.onelogin import ONELOGIN
from monitor.sources.onepassword import ONEPASSWORD
from monitor.sources.provider import Provider
from monitor.sources.rba import read_rba
from monitor.sources.sshd import read_sshd
from monitor.sources.teleport import TELEPORT
from monitor.sources.windows import WINDOWS

PROVIDERS: Mapping[str, Provider] = {
    "asana": ASANA,
    "auth0": AUTH0,
    "box": BOX,
    "cloudtrail": CLOUDTRAIL,
    "duo": DUO,
    "ecs": ECS,
    "entra": ENTRA,
    "google_workspace": GOOGLE_WORKSPACE,
    "keycloak": KEYCLOAK,
    "microsoft365": MICROSOFT365,
    "notion": NOTION,
    "ocsf": OCSF,
    "okta": OKTA,
    "onelogin": ONELOGIN,
    "onepassword": ONEPASSWORD,
    "teleport": TELEPORT,
    "windows": WINDOWS,
}

REGISTRY: Mapping[str, Source] = {
    "csv": read_csv,
    "jsonl": read_jsonl,
    "rba": read_rba,
    "sshd": read_sshd,
    **PROVIDERS,
}

__all__ = ["CHUNK_RECORDS", "PROVIDERS", "REGISTRY", "Options", "Provider", "RawChunk", "Source", "decompressed"]
