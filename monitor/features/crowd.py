"""Evidence across accounts: one address, or one network, that touches many accounts or fails too often."""

import numpy as np

from monitor.columns import UNKNOWN, Floats, Ints
from monitor.features.evidence import Context, Evidence, counted, whole
from monitor.population import LIFETIMES, network_of

#: Where the population's own failure rate starts, and with how many pseudo-attempts.
PRIOR_FAILURES, PRIOR_ATTEMPTS = 0.05, 100.0


def address_accounts(context: Context) -> Evidence:
    """Accounts lately seen at this address that knew neither its network nor the device, against those at home there.

    An office is popular and stays ordinary, and so does the network of a conference to which people bring their own
    devices; an address that nobody knew and everybody comes from is not.
    """
    logins = context.logins
    accounts = _address_traffic(context)[:, 2]
    network = context.crowd.touches_before("network", logins.values["network"], context.familiarity("network"))
    usual_accounts = np.maximum(np.where(logins.values["network"].codes == UNKNOWN, 0.0, network) - accounts, 0.0)
    strength = _away(context, np.log1p(np.maximum(accounts - 1.0, 0.0) / (1.0 + usual_accounts)))

    def observed(rows: Ints) -> list[str | None]:
        return [f"{counted(accounts[i], 'new account')} from this address within the hour" for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"{counted(usual_accounts[i], 'account')} known on its network" for i in rows]

    return Evidence(strength, observed, usual)


def _away(context: Context, strength: Floats) -> Floats:
    """Unknown where the account is at home: what others do on its own network is no evidence for or against it.

    Nought would make others' failures look as rare as being away is, which the place says already.
    """
    at_home = context.familiarity("network").count > 0
    return np.where(at_home, np.nan, strength)


def _address_traffic(context: Context) -> Floats:
    known = np.maximum(context.familiarity("network").seen, context.familiarity("device").seen)
    return context.crowd.lately("address", context.logins.address, known)


def address_failures(context: Context) -> Evidence:
    """Failures of others in the last hour from this address, beyond what their attempts explain."""
    return _excess(context, "address", _address_traffic(context), "this address within the hour")


def network_failures(context: Context) -> Evidence:
    """The same of the last day from this network (its ASN, else its prefix): slow spraying from many addresses."""
    logins = context.logins
    no_asn = logins.values["asn"].codes == UNKNOWN
    seen = np.where(no_asn, context.familiarity("network").seen, context.familiarity("asn").seen)
    sums = context.crowd.lately("network", network_of(logins), seen)
    return _excess(context, "network", sums, "this network within the day")


def _excess(context: Context, kind: str, sums: Floats, where: str) -> Evidence:
    """Kullback–Leibler evidence that others fail more often here than elsewhere: N · KL(observed ‖ ordinary).

    What the account itself tried lately is taken off, wherever that was: its own failures are evidence already.
    """
    logins, lifetime = context.logins, LIFETIMES[kind]
    failed = (~logins.success).astype(float)
    own_attempts = context.lately(f"attempts_{kind}", np.ones(len(logins)), lifetime)
    own_failures = context.lately(f"failures_{kind}", failed, lifetime)
    ordinary = context.crowd.mean(
        "failures", ~logins.success, np.ones(len(logins), bool), PRIOR_FAILURES, PRIOR_ATTEMPTS
    )
    failures = np.maximum(sums[:, 1] - own_failures, 0.0)
    attempts = np.maximum(sums[:, 0] - own_attempts, failures)
    share = np.clip(failures / np.maximum(attempts, 1e-9), 1e-9, 1 - 1e-9)
    divergence = share * np.log(share / ordinary) + (1 - share) * np.log((1 - share) / (1 - ordinary))
    strength = np.where(share > ordinary, attempts * divergence, 0.0)
    strength[np.isnan(sums[:, 0])] = np.nan
    strength = _away(context, strength)

    def observed(rows: Ints) -> list[str | None]:
        return [f"{whole(failures[i])} of {whole(attempts[i])} attempts by others failed from {where}" for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"{100 * ordinary[i]:.0f} % of attempts fail" for i in rows]

    return Evidence(strength, observed, usual)
