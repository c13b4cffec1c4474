"""OneLogin events (developers.onelogin.com, "Event Types"): 5 is a sign-in, 6 a failed one, 8 one to an application."""

from monitor.sources.provider import Provider, at, only, words

ONELOGIN = Provider(
    "OneLogin events: JSON of the API or of a webhook.",
    {
        "event_id": at("uuid", "id"),
        "occurred_at": at("event_timestamp", "created_at"),
        "user": at("user_name", "actor_user_name", "user_id"),
        "outcome": at("event_type_id", to=words(success=("5", "8"), failure=("6",))),
        "ip": at("ipaddr"),
        "user_agent": at("browser_fingerprint.user_agent", "user_agent"),
        "auth_method": at("authentication_factor_description", "otp_device_name", "policy_name"),
        "application": at("app_name"),
    },
    only("event_type_id", "5", "6", "8"),
)
