"""Okta System Log (developer.okta.com, "System Log API", LogEvent), as the API and its exports give it.

Okta writes several events for one sign-in. The login is the start of the session; what stands beside it is one where no
session starts: a factor that fails, a RADIUS client (VPN), and Office 365 clients with basic authentication, the
way of sprays around the second factor. Sign-on to an application within a session is no login.
"""

from monitor.sources.json_records import Record
from monitor.sources.provider import Provider, at, kind, word, words

_LOGINS = {
    "user.session.start",
    "user.authentication.auth_via_radius",
    "user.authentication.auth_via_richclient",
}
_FACTOR = "user.authentication.auth_via_mfa"
# The outcome of a sign-in that goes on elsewhere is CHALLENGE; SKIPPED was none.
_UNDECIDED = {"challenge", "skipped", "deferred", "abandoned", "unanswered"}


def _skipped(record: Record) -> str:
    event, result = kind(record, "eventType"), word(record, "outcome.result")
    if event == _FACTOR and result.lower() in ("failure", "deny"):
        return ""
    if event in _LOGINS and result.lower() not in _UNDECIDED:
        return ""
    return f"{event} {result}" if event == _FACTOR or event in _LOGINS else event


OKTA = Provider(
    "Okta System Log: JSON of the API, of its exports and log streams.",
    {
        "event_id": at("uuid"),
        "occurred_at": at("published"),
        "user": at("actor.alternateId", "actor.id"),
        "outcome": at("outcome.result", to=words(success=("success", "allow"), failure=("failure", "deny"))),
        "ip": at("client.ipAddress"),
        "country": at("client.geographicalContext.country"),
        "region": at("client.geographicalContext.state"),
        "city": at("client.geographicalContext.city"),
        "latitude": at("client.geographicalContext.geolocation.lat"),
        "longitude": at("client.geographicalContext.geolocation.lon"),
        "asn": at("securityContext.asNumber"),
        "user_agent": at("client.userAgent.rawUserAgent"),
        "device_id": at("device.id", "debugContext.debugData.deviceFingerprint"),
        "auth_method": at(
            "debugContext.debugData.factor",
            "authenticationContext.credentialType",
            "target[type=AuthenticatorEnrollment].displayName",
        ),
        "application": at("target[type=AppInstance].displayName"),
    },
    _skipped,
)
