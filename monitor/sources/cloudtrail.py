"""AWS CloudTrail: sign-ins to the console, and through IAM Identity Center.

docs.aws.amazon.com, "AWS Management Console sign-in events" and "Understanding IAM Identity Center sign-in events". Of
the several events of an Identity Center sign-in, the last counts if it succeeds, and the credential that fails if not.
A federated user is the session of a role, named by who federates it. Where somebody types a name that does not exist,
AWS writes HIDDEN_DUE_TO_SECURITY_REASONS for it.
"""

from collections.abc import Iterable

from monitor.sources.json_records import Record, parsed
from monitor.sources.provider import Provider, at, kind, made, word, words

_LOGINS = {"ConsoleLogin", "UserAuthentication", "ExternalIdPDirectoryLogin"}
_VERIFICATION = "CredentialVerification"


def _parts(record: Record) -> Iterable[Record]:
    """`aws cloudtrail lookup-events` lists events, and gives the record of each as text."""
    listed = record.get("events")
    for event in listed if isinstance(listed, list) else [record]:
        whole = parsed(event.get("cloudtrailevent")) if isinstance(event, dict) else None
        yield whole if isinstance(whole, dict) else event if isinstance(event, dict) else {}


def _skipped(record: Record) -> str:
    name = kind(record, "eventName")
    if name in _LOGINS or (name == _VERIFICATION and word(record, f"serviceEventDetails.{name}") == "Failure"):
        return ""
    return f"{name} ({word(record, 'eventSource')})"


def _user(record: Record) -> str | None:
    name = word(record, "userIdentity.userName", "additionalEventData.UserName")
    arn = word(record, "userIdentity.arn")
    if not name and ":assumed-role/" in arn:
        return arn.rpartition("/")[2]
    return name or arn or word(record, "userIdentity.onBehalfOf.userId", "userIdentity.principalId") or None


def _method(record: Record) -> str | None:
    if word(record, "additionalEventData.SamlProviderArn"):
        return "SAML"
    mfa = {"yes": "password and MFA", "no": "password"}.get(word(record, "additionalEventData.MFAUsed").lower())
    return word(record, "additionalEventData.CredentialType") or mfa


_RESULTS = tuple(f"responseElements.{name}" for name in ("ConsoleLogin", "ExternalIdPDirectoryLogin"))
_DETAILS = tuple(f"serviceEventDetails.{name}" for name in ("UserAuthentication", _VERIFICATION))

CLOUDTRAIL = Provider(
    "AWS CloudTrail: console and Identity Center sign-ins, as JSON of a trail or of lookup-events.",
    {
        "event_id": at("eventID"),
        "occurred_at": at("eventTime"),
        "user": made(
            _user,
            "userIdentity.userName",
            "additionalEventData.UserName",
            "userIdentity.arn",
            "userIdentity.principalId",
        ),
        "outcome": at(*_RESULTS, *_DETAILS, to=words(success=("success",), failure=("failure",))),
        "ip": at("sourceIPAddress"),
        "user_agent": at("userAgent"),
        "auth_method": made(
            _method,
            "additionalEventData.SamlProviderArn",
            "additionalEventData.CredentialType",
            "additionalEventData.MFAUsed",
        ),
        "application": at("recipientAccountId", "userIdentity.accountId"),
    },
    _skipped,
    _parts,
)
