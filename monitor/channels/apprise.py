"""E-mail, Slack, Teams, webhooks and a hundred more, through the library Apprise: ``target`` is one of its URLs."""

import apprise

from monitor.channels import ChannelError, Notice


class Apprise:
    """``target`` as in Apprise's documentation: ``mailto://…``, ``slack://…``, ``json://…``."""

    def __init__(self, target: str) -> None:
        self._sender = apprise.Apprise()
        if not self._sender.add(target):
            raise ChannelError("the target is no URL that Apprise knows")

    def send(self, notice: Notice) -> None:
        title = f"{notice.severity} alert: {notice.user_name}"
        body = (
            f"{notice.headline}\nscore {notice.score:.1f}, {notice.event_count} logins, "
            f"{notice.opened_at:%Y-%m-%d %H:%M} to {notice.last_event_at:%Y-%m-%d %H:%M} UTC\n{notice.key}"
        )
        # Plain text: what attackers chose (names, cities) must not become markup.
        if not self._sender.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
            raise ChannelError("Apprise could not deliver it")
