"""Notices as JSON documents in the shape that Standard Webhooks recommends: type, timestamp, data."""

import json
from dataclasses import asdict
from typing import Any

from monitor.channels import DigestNotice, Notice


def event_type(notice: Notice) -> str:
    """``alert.opened``, ``alert.worsened``, ``alert.test`` or ``digest.daily``."""
    return "digest.daily" if isinstance(notice, DigestNotice) else f"alert.{notice.kind}"


def document(notice: Notice) -> dict[str, Any]:
    """The notice; ``id`` is its key, ``timestamp`` when it was decided on. Values are as they came, attackers' too."""
    data = {name: value for name, value in asdict(notice).items() if name not in ("key", "kind", "decided_at")}
    return {
        "id": str(notice.key),
        "type": event_type(notice),
        "timestamp": notice.decided_at.isoformat(),
        "data": data,
    }


def encoded(value: dict[str, Any]) -> str:
    """JSON in one line of ASCII: no control character, nor anything that could be read as one, survives."""
    return json.dumps(value, default=_plain, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _plain(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
