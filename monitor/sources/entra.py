"""Microsoft Entra ID sign-in logs: Graph (auditLogs/signIns), diagnostic export, and the tables of Log Analytics.

The diagnostic export wraps what Graph gives in `properties`. Users, applications and managed identities sign in.
An error code other than 0 is a failure, save those that interrupt a sign-in to ask for more, which ends in an event of
its own (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes").
"""

from monitor.sources.json_records import Record
from monitor.sources.provider import Field, Provider, at, word

# Asks for: a choice of account, consent, a second factor or its registration, a new password, a device, staying signed
# in, a confirmation. Right after a right password, so none of them is a failure.
_INTERRUPTS = {
    *("16000", "50055", "50058", "50072", "50074", "50076", "50079", "50097", "50125", "50127", "50129", "50140"),
    *("50144", "50158", "50199", "51006", "65001", "70043", "70044"),
}


def _inner(*paths: str, also: tuple[str, ...] = ()) -> Field:
    """Within `properties` first, where the outer member of the same name means something else."""
    return at(*(f"properties.{path}" for path in paths), *paths, *also)


def _outcome(text: str) -> str:
    code = text.strip().lower()
    return {"0": "success", "success": "success", "failure": "failure"}.get(code, "failure" if code.isdigit() else text)


def _named(text: str) -> str | None:
    return None if text.lower() == "none" else text


def _skipped(record: Record) -> str:
    category = word(record, "category")
    if category and not category.lower().endswith("signinlogs"):
        return f"{category}: {word(record, 'operationName', 'title')}".rstrip(": ")
    if not category and word(record, "activityDisplayName", "properties.activityDisplayName"):
        return f"audit: {word(record, 'activityDisplayName', 'properties.activityDisplayName')}"
    if not category and not word(record, *_USER.paths):
        raise ValueError("names neither a category nor who signs in")
    code = word(record, "properties.status.errorCode", "status.errorCode", "resultType")
    return f"interrupted sign-in ({code})" if code in _INTERRUPTS else ""


_USER = _inner("userPrincipalName", "userId", "servicePrincipalName", "servicePrincipalId")

ENTRA = Provider(
    "Microsoft Entra ID sign-in logs: JSON of Graph, of the diagnostic export, or of Log Analytics.",
    {
        "event_id": _inner("id"),
        "occurred_at": _inner("createdDateTime", also=("time", "TimeGenerated")),
        "user": _USER,
        "outcome": at("properties.status.errorCode", "status.errorCode", "resultType", to=_outcome),
        "ip": _inner("ipAddress", also=("callerIpAddress",)),
        "country": _inner("location.countryOrRegion", also=("LocationDetails.countryOrRegion",)),
        "region": _inner("location.state", also=("LocationDetails.state",)),
        "city": _inner("location.city", also=("LocationDetails.city",)),
        "latitude": _inner("location.geoCoordinates.latitude", also=("LocationDetails.geoCoordinates.latitude",)),
        "longitude": _inner("location.geoCoordinates.longitude", also=("LocationDetails.geoCoordinates.longitude",)),
        "asn": _inner("autonomousSystemNumber"),
        "user_agent": _inner("userAgent"),
        "device_id": _inner("deviceDetail.deviceId"),
        "auth_method": at(
            "properties.authenticationDetails.authenticationMethod",
            "authenticationDetails.authenticationMethod",
            "properties.authenticationProtocol",
            "authenticationProtocol",
            "properties.authenticationRequirement",
            "authenticationRequirement",
            to=_named,
        ),
        "application": _inner("appDisplayName", "resourceDisplayName"),
    },
    _skipped,
)
