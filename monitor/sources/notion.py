"""Notion audit log (notion.com/help, "Audit log": user.login); it reports no failures."""

from monitor.sources.provider import Provider, at, only, words

NOTION = Provider(
    "Notion audit log: JSON of a webhook.",
    {
        "event_id": at("event.id"),
        "occurred_at": at("event.timestamp"),
        "user": at("event.actor.person.email", "event.actor.id"),
        "outcome": at("event.type", to=words(success=("user.login",), failure=())),
        "ip": at("event.ip_address"),
        "auth_method": at("event.details.authType"),
        "application": at("event.platform"),
    },
    only("event.type", "user.login"),
)
