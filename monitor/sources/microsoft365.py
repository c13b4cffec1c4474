"""Microsoft 365 unified audit log (schema of the Office 365 Management Activity API): logons to Entra ID.

Its stamps are UTC and carry no zone.
"""

from monitor.sources.provider import Provider, at, only, words

MICROSOFT365 = Provider(
    "Microsoft 365 unified audit log: JSON of the Management Activity API.",
    {
        "event_id": at("Id"),
        "occurred_at": at("CreationTime"),
        "user": at("UserId", "UserKey"),
        "outcome": at("Operation", to=words(success=("userloggedin",), failure=("userloginfailed",))),
        "ip": at("ClientIP", "ActorIpAddress"),
        "user_agent": at("ExtendedProperties[name=UserAgent].Value"),
        "device_id": at("DeviceProperties[name=Id].Value"),
        "auth_method": at("ExtendedProperties[name=RequestType].Value"),
        "application": at("ApplicationId"),
    },
    only("Operation", "UserLoggedIn", "UserLoginFailed"),
)
