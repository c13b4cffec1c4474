"""E-mail, Slack, Teams, Discord and a hundred more, through the library Apprise: ``target`` is one of its URLs."""

import logging
import re
from urllib.parse import unquote, urlsplit

import apprise

from monitor.channels import ChannelError, Notice
from monitor.channels.settings import ChannelSettings
from monitor.channels.words import body, title

#: Mail goes to a relay, which commonly has a private address; everything else is a request to a service.
MAIL = ("mailto", "mailtos")

_TIME = re.compile(r"^[\d\- :,]+ - \w+ - ")


class Apprise:
    """``target`` as in Apprise's documentation: ``mailto://…``, ``slack://…``, ``json://…``."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._target = settings.target.get_secret_value()
        self.public_only = urlsplit(self._target).scheme.lower() not in MAIL
        self._sender = apprise.Apprise()
        if not self._sender.add(self._target):
            raise ChannelError("the target is no URL that Apprise knows", final=True)

    def send(self, notice: Notice) -> None:
        with apprise.LogCapture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call]
            # Declared as plain text, so that Apprise escapes it for services that want HTML or Markdown.
            sent = self._sender.notify(title=title(notice), body=body(notice), body_format=apprise.NotifyFormat.TEXT)
            said = log.getvalue().splitlines()
        if not sent:
            raise ChannelError(self._without_secrets(_TIME.sub("", said[-1])) if said else "Apprise could not send it")

    def _without_secrets(self, text: str) -> str:
        """The text without any part of the target: Slack's tokens, for one, are parts of the path."""
        parts = re.split(r"[/:@?&=#]+", self._target)
        for part in sorted({*parts, *map(unquote, parts)}, key=len, reverse=True):
            if len(part) >= 4:
                text = text.replace(part, "…")
        return text
