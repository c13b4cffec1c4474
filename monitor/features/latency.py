"""Round-trip time: a relay or proxy between the person and us adds milliseconds that the address hides."""

import numpy as np

from monitor.columns import Ints
from monitor.features.evidence import Context, Evidence
from monitor.features.gaussian import one_sided


def rtt(context: Context) -> Evidence:
    """Round-trip time above the account's own log-normal times."""
    milliseconds = context.logins.rtt_ms
    strength, mean = one_sided(
        context.past, "rtt", np.log(np.maximum(milliseconds, 1.0)), prior_mean=None, prior_deviation=0.5
    )

    def observed(rows: Ints) -> list[str | None]:
        return [f"{milliseconds[i]:.0f} ms" if np.isfinite(milliseconds[i]) else None for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"about {np.exp(mean[i]):.0f} ms" if np.isfinite(mean[i]) else None for i in rows]

    return Evidence(strength, observed, usual)
