"""Box enterprise events (developer.box.com, "Enterprise events": LOGIN and FAILED_LOGIN)."""

from monitor.sources.provider import Provider, at, only, words

BOX = Provider(
    "Box enterprise events: JSON of the API.",
    {
        "event_id": at("event_id"),
        "occurred_at": at("created_at"),
        "user": at("created_by.login", "source.login"),
        "outcome": at("event_type", to=words(success=("login",), failure=("failed_login",))),
        "ip": at("ip_address"),
        "auth_method": at("additional_details.type"),
        "application": at("additional_details.service_name"),
    },
    only("event_type", "LOGIN", "FAILED_LOGIN"),
)
