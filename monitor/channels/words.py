"""Notices in plain words, for people: a title and a text.

Attackers choose user names and cities, so their words are made inert first: chat services would turn them into
mentions of everyone, into links, or into markup, and mail programs into header lines.
"""

import re
from collections.abc import Mapping

from monitor.channels import AlertNotice, DigestNotice, Notice

LONGEST = 200  # characters of one value

#: Letters that open links, mentions and code in Markdown, Slack's mrkdwn and HTML → letters that look like them.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "[": "⟦", "]": "⟧", "`": "ʼ", "|": "¦", "\\": "⧵"})

#: An @ that is not within an e-mail address, or that would call everyone.
_CALL = re.compile(r"(?<![\w.+-])@|@(?=\s*(?:everyone|here|channel|all|team|room|group|subteam)\b)", re.IGNORECASE)


def inert(text: str) -> str:
    """The text in one line that is read and does nothing."""
    visible = "".join(letter if letter.isprintable() else "�" for letter in text[: LONGEST + 1])
    if len(visible) > LONGEST:
        visible = visible[: LONGEST - 1] + "…"
    visible = visible.translate(_HARMLESS)
    # Ratio, one dot leader, commercial at: alike to the eye, yet no URL, no host name, no mention.
    visible = visible.replace("://", "∶//").replace("www.", "www․")
    return _CALL.sub("＠", visible)


def title(notice: Notice) -> str:
    """The subject, in one line."""
    if isinstance(notice, DigestNotice):
        count = sum(notice.opened.values())
        return f"Login alerts: {count} new, {notice.waiting} waiting"
    if notice.kind == "test":
        return f"Test: {inert(notice.headline)}"
    worse = "worsened to " if notice.kind == "worsened" else ""
    return f"Login alert, {worse}{notice.severity}: {inert(notice.user_name)}"


def body(notice: Notice) -> str:
    """The text; its last line is the key that a repeat carries too."""
    lines = _digest(notice) if isinstance(notice, DigestNotice) else _alert(notice)
    if notice.link:
        lines += ["", notice.link]
    return "\n".join([*lines, "", f"notice {notice.key}"])


def _alert(notice: AlertNotice) -> list[str]:
    logins = "1 login" if notice.event_count == 1 else f"{notice.event_count} logins"
    span = f"{notice.opened_at:%Y-%m-%d %H:%M} to {notice.last_event_at:%Y-%m-%d %H:%M} UTC"
    lines = [inert(notice.headline), f"score {notice.score:.1f}, {logins}, {span}"]
    if notice.accounts > 1:
        lines.append(f"one of {notice.accounts} accounts in a campaign")
    if notice.status != "open":
        lines.append(f"{notice.status} in the meantime")
    return lines + [_reason(reason) for reason in notice.reasons[:5]]


def _reason(reason: Mapping[str, object]) -> str:
    feature = str(reason.get("feature", "")).replace("_", " ")
    observed, usual = (inert(str(reason.get(name) or "unknown")) for name in ("observed", "usual"))
    return f"- {feature}: {observed} (usual: {usual})"


def _digest(notice: DigestNotice) -> list[str]:
    span = f"{notice.since:%Y-%m-%d %H:%M} to {notice.until:%Y-%m-%d %H:%M %Z}"
    counted = ", ".join(f"{count} {severity}" for severity, count in notice.opened.items()) or "none"
    lines = [f"New from {span}: {counted}", f"Waiting for a verdict: {notice.waiting}"]
    for line in notice.worst:
        many = f" and {line.accounts - 1} more accounts" if line.accounts > 1 else ""
        judged = "" if line.status == "open" else f" ({line.status})"
        told = f"{line.severity} {line.score:.1f}: {inert(line.user_name)}{many}: {inert(line.headline)}{judged}"
        lines.append(f"- {told}")
    return lines
