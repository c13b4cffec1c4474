"""Impostors: other people's logins presented to an account, to see whether a detector would have noticed.

Biometrics tests a verifier with zero-effort impostors (ISO/IEC 19795-1); the same works for logins without a single
labelled attack. An impostor takes over all of another person's login, or only parts of it (the place, the device, the
agent, what was done, the hour): an attacker with a proxy next door shares the place, a thief of a session the device.
"""

import numpy as np
import pandas as pd

#: What is taken over together.
PARTS: dict[str, tuple[str, ...]] = {
    "place": ("country", "region", "city", "latitude", "longitude", "asn", "network", "ip", "rtt_ms"),
    "device": ("device_id",),
    "agent": ("browser", "os"),
    "action": ("application", "auth_method"),
}

#: Share of impostors who take everything over; of the others, share who take over each part, or come at any hour.
WHOLE, PART = 0.5, 0.4

DAY_US = 86_400_000_000


def with_impostors(events: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """The events (sorted by account and time) with impostors among them, marked by a column ``impostor``.

    About ``share`` as many impostors as events are added; they are never learnable.
    """
    victims = rng.choice(len(events), round(len(events) * share))
    others = rng.choice(len(events), len(victims))
    different = events["account_id"].to_numpy()[victims] != events["account_id"].to_numpy()[others]
    victims, others = victims[different], others[different]
    fakes, donors = events.iloc[victims].reset_index(drop=True), events.iloc[others].reset_index(drop=True)
    whole = rng.random(len(fakes)) < WHOLE
    for columns in PARTS.values():
        taken = pd.Series(whole | (rng.random(len(fakes)) < PART))
        for column in columns:
            fakes[column] = fakes[column].where(~taken, donors[column])
    moment = fakes["occurred_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    any_hour = moment // DAY_US * DAY_US + rng.integers(0, DAY_US, len(fakes))
    shifted = np.where(rng.random(len(fakes)) < PART, any_hour, moment + 60_000_000)
    fakes["occurred_at"] = pd.to_datetime(shifted, unit="us", utc=True)
    fakes["outcome"] = "success"
    mixed = pd.concat([events.assign(impostor=False), fakes.assign(impostor=True, learnable=False)])
    return mixed.sort_values(["account_id", "occurred_at"], kind="stable").reset_index(drop=True)
