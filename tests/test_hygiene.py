"""What the baselines must not be talked into: a stranger who comes closer step by step, and news that everybody shares.

That what was confirmed never trains, and that what nobody reviewed waits, is tested with the jobs that see to it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from organisations import MONDAY, Memory, Organisation, batches, frame, login, organisation, trained

from monitor.alerting import CAMPAIGN_ACCOUNTS, incidents
from monitor.columns import seconds
from monitor.scoring import Scorer

#: One ordinary login in a hundred: the lowest threshold that there is.
THRESHOLD = 2.0
DAY = 24.0

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
NEAR = {"ip": "203.0.113.5", "asn": 64500}
MACHINE = {"device_id": "stranger", "user_agent": FIREFOX}
ABROAD = {"country": "BR", "region": "SP", "city": "São Paulo", "latitude": -23.5, "longitude": -46.6}
FAR = MACHINE | ABROAD | {"ip": "198.51.100.7", "asn": 64501}

#: What the stranger shows at each visit that the owner never showed, and by how many hours the visit is late.
DRIFT = (*[(NEAR, 0)] * 2, (NEAR | MACHINE, 0), (NEAR | MACHINE, 2), (FAR, 2), *[(FAR, late) for late in range(3, 11)])
DAYS_BETWEEN = 3


@pytest.fixture(scope="module")
def company() -> Organisation:
    return organisation()


@pytest.fixture(scope="module")
def courses(company: Organisation) -> list[pd.DataFrame]:
    """Slow drifts away from three busy people's habits, each a frame of visits."""
    history = company.history[company.history["outcome"] == "success"]
    people = history[~history["user"].str.startswith("svc")]
    busiest = people["user"].value_counts().index[:3]
    return [_drift(people[people["user"] == user].iloc[-1]) for user in busiest]


def _drift(owners: pd.Series) -> pd.DataFrame:
    kept = [*ABROAD, *NEAR, *MACHINE, "auth_method", "application"]
    habit = {name: None if pd.isna(owners[name]) else owners[name] for name in kept}
    first = (owners["occurred_at"] - MONDAY) / pd.Timedelta("1h") + DAY
    return frame(
        login(first + DAYS_BETWEEN * DAY * visit + late, owners["user"], event_id=f"visit{visit}", **habit | shown)
        for visit, (shown, late) in enumerate(DRIFT)
    )


def final(company: Organisation, visits: pd.DataFrame, learned: bool = True) -> float:
    """The score of the last visit after the others, of which none is learned unless ``learned`` (and not alerted)."""
    last = np.arange(len(visits)) == len(visits) - 1
    visits = visits.assign(learnable=learned | last)
    return float(company.memory.copy().score(visits, company.scorer, THRESHOLD)["score"].iloc[-1])


def test_a_slow_drift_towards_a_strangers_habits_still_alerts_at_its_end(
    company: Organisation, courses: list[pd.DataFrame]
) -> None:
    # Each greater step alerts and is not learned; of what was only seen, each value keeps a part of its surprise.
    for visits in courses:
        cold = final(company, visits.tail(1).reset_index(drop=True))
        drifted = final(company, visits)
        assert cold > THRESHOLD + 2
        assert drifted > max(THRESHOLD, cold / 2)


def test_visits_that_were_not_learned_gain_no_more_however_many_than_the_last_of_them_alone(
    company: Organisation, courses: list[pd.DataFrame]
) -> None:
    # A value seen lately is lent a share: the greatest that a visit left, not the sum of all.
    for visits in courses:
        many = final(company, visits, learned=False)
        one = final(company, visits.tail(2).reset_index(drop=True), learned=False)
        assert many == pytest.approx(one, abs=0.05)


@dataclass(frozen=True)
class Office:
    """An office of which everybody is given another provider, network and address on a Monday."""

    later: pd.DataFrame
    memory: Memory
    scorer: Scorer
    budget: int  # alerts a day that the threshold promises


def moved(at_home: float, people: int = 60, weeks: int = 4) -> Office:
    rng = np.random.default_rng(5)
    logins = []
    for person in range(people):
        start = 8.5 + rng.normal(0, 0.7)
        for day in range(-7 * weeks, 3):
            place = {"ip": "198.51.100.7", "asn": 64501} if day >= 0 else {"ip": "192.0.2.7", "asn": 64500}
            if rng.random() < at_home:
                place = {"ip": f"203.0.{person}.9", "asn": 64510 + person % 5}
            applications = ("mail", "crm", "wiki") if day % 7 < 5 else ()
            for number, application in enumerate(applications):
                at = DAY * day + start + 2.5 * number + rng.normal(0, 0.4)
                name, device = f"{person}-{day}-{number}", {"device_id": f"laptop{person}", "user_agent": CHROME}
                logins.append(
                    login(at, f"user{person}", event_id=name, application=application, country="DE", **place, **device)
                )
    events = frame(logins)
    early = events["occurred_at"] < MONDAY
    memory, scorer, *_ = trained(events[early].reset_index(drop=True), "rarity")
    promised = early.sum() / (5 * weeks) * 10**-THRESHOLD
    return Office(events[~early].reset_index(drop=True), memory, scorer, int(np.ceil(promised)))


def decisions(alerted: pd.DataFrame) -> int:
    """What reviewers must decide of one day's odd logins: incidents, of which a campaign from one address is one."""
    if alerted.empty:
        return 0
    account = pd.factorize(alerted["account_id"])[0]
    number, _ = incidents(account, seconds(alerted["occurred_at"]), np.full(len(alerted), np.nan))
    accounts = alerted.groupby("ip")["account_id"].transform("nunique")
    campaign = (accounts >= CAMPAIGN_ACCOUNTS).groupby(number).transform("any")
    return len(np.unique(number[~campaign])) + alerted.loc[campaign.to_numpy(), "ip"].nunique()


@pytest.mark.parametrize("at_home", [0.0, 0.1, 0.3])
def test_a_change_of_the_offices_provider_does_not_flood_the_queue(at_home: float) -> None:
    office = moved(at_home)
    parts = [office.memory.score(part, office.scorer, THRESHOLD) for part in batches(office.later, 500)]
    judged = office.later.set_index("event_id").join(pd.concat(parts)[["score", "alerted"]]).reset_index()
    caused = judged[judged["asn"].astype(int) == 64501]
    days = [caused[caused["occurred_at"].dt.floor("D") == MONDAY + pd.Timedelta(days=day)] for day in range(3)]
    asked = [decisions(day[day["alerted"]]) for day in days]
    assert asked[0] <= 2 * office.budget
    assert max(asked[1:]) <= office.budget
