"""The APIs that logins are pulled from. A new one is one file here and one line in ``REGISTRY``.

An API only fetches; what a record means is said once, by the file format of the same provider.
"""

from collections.abc import Mapping
from typing import NamedTuple

from monitor.sources.apis import auth0, duo, entra, google_workspace, okta
from monitor.sources.apis.base import Access, Api, Page, PositionLostError, Start
from monitor.sources.auth0 import AUTH0
from monitor.sources.duo import DUO
from monitor.sources.entra import ENTRA
from monitor.sources.google_workspace import GOOGLE_WORKSPACE
from monitor.sources.http import ApiError, RefusedError
from monitor.sources.okta import OKTA
from monitor.sources.provider import Provider


class Feed(NamedTuple):
    """How a provider is asked, what its records mean, and what to do when it refuses the credentials."""

    read: Api
    records: Provider
    renew: str


#: By kind of a source in the settings.
REGISTRY: Mapping[str, Feed] = {
    "auth0": Feed(auth0.read, AUTH0, "rotate it under Applications, and see that the application has read:logs"),
    "duo": Feed(duo.read, DUO, "reset it at the Admin API application, and see that it may read logs"),
    "entra": Feed(entra.read, ENTRA, "make one in the app registration, and see that AuditLog.Read.All is granted"),
    "google_workspace": Feed(
        google_workspace.read, GOOGLE_WORKSPACE, "make a key for the service account, and see that it is delegated to"
    ),
    "okta": Feed(okta.read, OKTA, "make a new one, and see that it may read the System Log"),
}

__all__ = ["REGISTRY", "Access", "Api", "ApiError", "Feed", "Page", "PositionLostError", "RefusedError", "Start"]
