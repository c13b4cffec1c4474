"""Our own webhook: JSON, signed with HMAC-SHA256 as Standard Webhooks 1.0 asks (https://www.standardwebhooks.com).

The headers ``webhook-id`` (the notice's key, the same in a repeat), ``webhook-timestamp`` (of this try) and the body
are signed together into ``webhook-signature``, so that neither can be changed nor an old request sent again.
"""

from datetime import UTC, datetime

import requests
import standardwebhooks

from monitor.channels import ChannelError, Notice, cause
from monitor.channels.payload import document, encoded
from monitor.channels.settings import ChannelSettings

#: Answers that mean the receiver is busy: a pause that it asks for is kept.
BUSY = (429, 502, 503, 504)

LONGEST_WAIT = 86_400.0


class Webhook:
    """``target`` is an http(s) URL, ``secret`` a key ``whsec_…`` of 24 to 64 bytes in base64."""

    public_only = True

    def __init__(self, settings: ChannelSettings) -> None:
        assert settings.secret is not None  # the settings have seen to that
        self._url = settings.target.get_secret_value()
        self._signer = standardwebhooks.Webhook(settings.secret.get_secret_value())
        self._timeout = settings.timeout_seconds
        self._verify = str(settings.ca_file) if settings.ca_file else True

    def send(self, notice: Notice) -> None:
        body, now = encoded(document(notice)), datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "login-anomaly-monitor",
            "webhook-id": str(notice.key),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(str(notice.key), now, body),
        }
        try:
            # Redirects are failures, as the standard recommends. The answer's body is of no interest, nor its length.
            with requests.post(
                self._url,
                data=body.encode(),
                headers=headers,
                timeout=self._timeout,
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            ) as answer:
                _check(answer)
        except requests.RequestException as error:
            raise ChannelError(cause(error)) from None


def _check(answer: requests.Response) -> None:
    """Raise ``ChannelError`` for anything but 2xx."""
    code = answer.status_code
    if 200 <= code < 300:
        return
    if code == 410:
        raise ChannelError("answered 410: it wants no more notices", final=True)
    if 300 <= code < 400:
        raise ChannelError(f"answered {code}: redirects are not followed; let the target be where it points")
    asked = answer.headers.get("retry-after", "") if code in BUSY else ""
    wait = min(float(asked), LONGEST_WAIT) if asked.isdecimal() else None
    raise ChannelError(f"answered {code}", wait_seconds=wait)
