"""The RBA data set of logins (Wiefling et al., "Pump Up Password Security!", ACM TOPS 2022, doi:10.1145/3546069).

Its stamps carry no zone and are UTC by definition; '-' is unknown; `index` numbers the logins and becomes the event id,
so that labels can refer to it. Its own browser, system and device columns are left aside: they were derived from the
user agent, as the monitor does itself. So are the labels.
"""

from collections.abc import Iterator
from io import BufferedIOBase

from monitor.sources.base import Options, RawChunk
from monitor.sources.table import Table

_COLUMNS = {
    "event_id": "index",
    "occurred_at": "Login Timestamp",
    "user": "User ID",
    "outcome": "Login Successful",
    "ip": "IP Address",
    "country": "Country",
    "region": "Region",
    "city": "City",
    "asn": "ASN",
    "user_agent": "User Agent String",
    "rtt_ms": "Round-Trip Time [ms]",
}
_OUTCOMES = {"true": "success", "false": "failure", "": "missing"}


def _known(text: str) -> str:
    return "" if text.strip() == "-" else text


def _time(text: str) -> str:
    return f"{text.strip()}Z" if text.strip() else text


def _outcome(text: str) -> str:
    return _OUTCOMES.get(text.strip().lower(), text)


_TRANSLATIONS = dict.fromkeys(("ip", "country", "region", "city", "asn", "user_agent", "rtt_ms"), _known)
_TABLE = Table(
    _COLUMNS,
    required=("occurred_at", "user", "outcome"),
    others=True,
    translations=_TRANSLATIONS | {"occurred_at": _time, "outcome": _outcome},
)


def read_rba(stream: BufferedIOBase, options: Options) -> Iterator[RawChunk]:
    """CSV of the RBA login data set (das-group/rba-dataset)."""
    return _TABLE.read(stream)
