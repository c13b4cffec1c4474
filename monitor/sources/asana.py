"""Asana audit log (developers.asana.com, "Audit log events": category logins)."""

from monitor.sources.provider import Provider, at, only, words

ASANA = Provider(
    "Asana audit log: JSON of the API.",
    {
        "event_id": at("gid"),
        "occurred_at": at("created_at"),
        "user": at("actor.email", "resource.email"),
        "outcome": at("event_type", to=words(success=("user_login_succeeded",), failure=("user_login_failed",))),
        "ip": at("context.client_ip_address"),
        "user_agent": at("context.user_agent"),
        "auth_method": at("details.method"),
        "application": at("context.context_type"),
    },
    only("event_type", "user_login_succeeded", "user_login_failed"),
)
