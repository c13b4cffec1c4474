"""Teleport audit events (goteleport.com/docs, "Audit Events"): the sign-ins of users to a cluster."""

from monitor.sources.provider import Provider, at, only, unfolded, words

TELEPORT = Provider(
    "Teleport audit events: JSON.",
    {
        "event_id": at("uid"),
        "occurred_at": at("time"),
        "user": at("user"),
        "outcome": at("success", to=words(success=("true",), failure=("false",))),
        "ip": at("addr.remote"),
        "user_agent": at("user_agent"),
        "device_id": at("trusted_device.device_id", "mfa_device.mfa_device_uuid"),
        "auth_method": at("method"),
        "application": at("cluster_name"),
    },
    only("event", "user.login"),
    unfolded,
)
