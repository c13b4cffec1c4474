"""The simulated organisations: deterministic, labelled, plausible, and neither trivial nor impossible to watch."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitor.events import CANONICAL_COLUMNS, validate
from monitor.simulation import ATTACKS, BENIGN, DEFAULT_START, POPULATIONS, Simulated, simulate, write
from monitor.simulation.atlas import atlas
from monitor.simulation.columns import Register, choose_rows, logins, mix

DAYS = 45
CENTRES = {
    "corporate": ("Frankfurt am Main", "Ashburn"),
    "consumer": ("Frankfurt am Main", "Ashburn", "Singapore", "Sao Paulo"),
}


@pytest.fixture(scope="module", params=sorted(POPULATIONS))
def organisation(request: pytest.FixtureRequest) -> tuple[str, Simulated]:
    return request.param, simulate(request.param, accounts=400, days=DAYS, seed=3)


def joined(simulated: Simulated) -> pd.DataFrame:
    return simulated.events.merge(simulated.labels, on="event_id", validate="one_to_one")


def test_the_same_arguments_give_the_same_events() -> None:
    first, second = (simulate("consumer", accounts=60, days=10, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(first.events, second.events)
    pd.testing.assert_frame_equal(first.labels, second.labels)


def test_another_seed_gives_other_events() -> None:
    first, second = (simulate("corporate", accounts=60, days=10, seed=seed) for seed in (1, 2))
    assert not first.events["ip"].head(100).equals(second.events["ip"].head(100))


def test_events_have_the_canonical_columns_in_order_of_time(organisation: tuple[str, Simulated]) -> None:
    _, simulated = organisation
    assert list(simulated.events.columns) == CANONICAL_COLUMNS
    assert simulated.events["occurred_at"].is_monotonic_increasing
    assert str(simulated.events["occurred_at"].dtype) == "datetime64[us, UTC]"
    assert simulated.events["event_id"].is_unique
    assert simulated.events["occurred_at"].min() >= DEFAULT_START
    assert simulated.events["occurred_at"].max() < DEFAULT_START + pd.Timedelta(days=DAYS)


def test_every_event_has_a_label(organisation: tuple[str, Simulated]) -> None:
    _, simulated = organisation
    assert simulated.labels["event_id"].tolist() == simulated.events["event_id"].tolist()
    attack = simulated.labels["is_attack"] == 1
    assert set(simulated.labels.loc[attack, "scenario"]) == set(ATTACKS)
    assert set(simulated.labels.loc[~attack, "scenario"]) <= {"", *BENIGN}
    assert (simulated.labels.loc[attack, "incident"] != "").all()
    assert (simulated.labels.loc[~attack, "incident"] == "").all()


def test_every_event_passes_validation(organisation: tuple[str, Simulated], tmp_path: Path) -> None:
    _, simulated = organisation
    events, labels = write(simulated, tmp_path / "new")
    records = pd.read_csv(events, dtype="str", keep_default_na=False)
    records["line"] = np.arange(len(records)) + 2
    validated = validate(records, "simulated")
    assert validated.rejects.empty
    assert validated.events["event_id"].tolist() == simulated.events["event_id"].tolist()
    assert (validated.events["occurred_at"] == simulated.events["occurred_at"]).all()
    assert validated.events["browser"].notna().mean() > 0.8
    assert len(pd.read_csv(labels)) == len(records)


def test_every_kind_of_attack_has_its_incidents_and_all_but_a_few_lie_in_the_last_third(
    organisation: tuple[str, Simulated],
) -> None:
    events = joined(organisation[1])
    incidents = (
        events[events["is_attack"] == 1]
        .groupby("incident")
        .agg(scenario=("scenario", "first"), kinds=("scenario", "nunique"), begin=("occurred_at", "min"))
    )
    assert (incidents["kinds"] == 1).all()
    assert incidents["scenario"].value_counts().min() >= 4
    early = incidents["begin"] < DEFAULT_START + pd.Timedelta(days=2 / 3 * DAYS)
    assert early.sum() == 2


def test_the_hard_benign_kinds_are_there(organisation: tuple[str, Simulated]) -> None:
    population, simulated = organisation
    found = set(simulated.labels["scenario"])
    wanted = set(BENIGN) - {"host_migration", "geolocation_update"}  # rare: not in every small population
    wanted -= {"provider_change"} if population == "consumer" else set()
    assert wanted <= found


def test_ordinary_accounts_are_seldom_attacked_and_most_logins_are_plain(organisation: tuple[str, Simulated]) -> None:
    labels = organisation[1].labels
    assert (labels["is_attack"] == 1).mean() < 0.12
    assert ((labels["scenario"] == "") & (labels["is_attack"] == 0)).mean() > 0.6


def test_a_country_that_is_new_neither_finds_the_attacks_nor_spares_the_travellers(
    organisation: tuple[str, Simulated],
) -> None:
    events = joined(organisation[1])
    known = events["country"].notna()
    new = known & ~events[known].duplicated(["user", "country"]).reindex(events.index, fill_value=False)
    tested = events[events["occurred_at"] >= DEFAULT_START + pd.Timedelta(days=2 / 3 * DAYS)].assign(new=new)
    attacks = tested[tested["is_attack"] == 1]
    first = attacks[attacks.groupby("incident").cumcount() < 3]
    assert 0.1 < first.groupby("incident")["new"].max().mean() < 0.65
    assert tested.loc[tested["is_attack"] == 0, "new"].mean() > 0.001


def test_how_often_people_log_in_is_heavy_tailed() -> None:
    simulated = simulate("consumer", accounts=800, days=30, seed=9, attacks_per_kind=0, early_incidents=0)
    per_day = simulated.events.groupby("user").size() / 30
    assert per_day.quantile(0.1) < 0.15
    assert per_day.quantile(0.99) > 6


def test_columns_are_missing_as_often_as_clients_hide_them(organisation: tuple[str, Simulated]) -> None:
    population, simulated = organisation
    missing = simulated.events.isna().mean()
    assert (missing[["event_id", "occurred_at", "user", "outcome", "ip"]] == 0).all()
    assert 0.05 < missing["device_id"] < (0.2 if population == "corporate" else 0.4)
    assert 0.01 < missing["city"] < 0.25
    assert 0.05 < missing["rtt_ms"] < 0.3
    assert 0.001 < missing["application"] < 0.05
    assert 0 < missing["user_agent"] < 0.05
    assert missing["latitude"] == missing["longitude"] == missing["city"]


def test_no_round_trip_is_faster_than_light_in_fibre(organisation: tuple[str, Simulated]) -> None:
    population, simulated = organisation
    places = atlas()
    rows = {str(name): row for row, name in enumerate(places.name)}
    events = simulated.events.dropna(subset=["rtt_ms", "city"])
    city = events["city"].map(rows).to_numpy(np.int64)
    nearest = places.distance[:, [places.city(name) for name in CENTRES[population]]].min(axis=1)[city]
    slack = 260  # km: an address database may put a home into a near city
    assert (events["rtt_ms"].to_numpy() * 100 >= nearest - slack).all()
    assert events["rtt_ms"].max() < 2_000


def test_a_proxy_in_the_victims_city_is_slower_than_home() -> None:
    events = joined(simulate("corporate", accounts=600, days=DAYS, seed=4, attacks_per_kind=25))
    proxied = events[events["scenario"] == "takeover_residential_proxy"]
    plain = events[(events["is_attack"] == 0) & events["user"].isin(proxied["user"])]
    usual = plain.groupby("user")["rtt_ms"].median()
    assert (proxied.groupby("user")["rtt_ms"].median() > usual).mean() > 0.9
    seen = plain.groupby("user")["country"].agg(set)
    assert np.mean([row.country in seen[row.user] for row in proxied.dropna(subset=["country"]).itertuples()]) > 0.95


def test_a_stolen_session_shows_the_victims_device() -> None:
    events = joined(simulate("corporate", accounts=600, days=DAYS, seed=4, attacks_per_kind=25))
    stolen = events[events["scenario"] == "session_token_theft"].dropna(subset=["device_id"])
    own = events[events["is_attack"] == 0].groupby("user")["device_id"].agg(set)
    known = [device in own.get(user, set()) for user, device in zip(stolen["user"], stolen["device_id"], strict=True)]
    assert np.mean(known) > 0.9


def test_carriers_hop_and_offices_share_addresses(organisation: tuple[str, Simulated]) -> None:
    population, simulated = organisation
    events = simulated.events
    accounts = events.groupby("ip")["user"].nunique()
    assert accounts.max() >= (20 if population == "corporate" else 4)
    busiest = events["user"].value_counts().index[:40]
    people = [user for user in busiest if not user.startswith("svc-")]
    assert events[events["user"].isin(people)].groupby("user")["ip"].nunique().median() > 15


def test_services_keep_their_clock_and_their_host() -> None:
    simulated = simulate("corporate", accounts=300, days=20, seed=6, attacks_per_kind=0, early_incidents=0)
    services = simulated.events[simulated.events["user"].str.startswith("svc-")]
    gaps = services.groupby("user")["occurred_at"].diff().dt.total_seconds().dropna()
    usual = gaps.groupby(services["user"]).transform("median")
    assert ((gaps - usual).abs() < 0.2 * usual).mean() > 0.95
    assert services.groupby("user")["ip"].nunique().max() <= 8
    assert set(services["auth_method"]) <= {"api_key", "client_certificate"}


def test_local_working_hours_follow_daylight_saving() -> None:
    start = datetime(2025, 10, 6, tzinfo=UTC)  # clocks go back in Europe on 26 October
    simulated = simulate("corporate", accounts=400, days=42, seed=8, start=start, attacks_per_kind=0, early_incidents=0)
    events = simulated.events[simulated.events["country"].isin(["DE", "NL", "GB", "PL", "ES", "SE", "FR", "CH", "IE"])]
    first = events.groupby(["user", events["occurred_at"].dt.date])["occurred_at"].min()
    hour = first.dt.hour + first.dt.minute / 60
    after = pd.to_datetime(first.index.get_level_values(1)) > pd.Timestamp("2025-10-26")
    assert 0.7 < hour[after].median() - hour[~after].median() < 1.3


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"population": "martians"}, "population"),
        ({"accounts": 3}, "accounts"),
        ({"days": 2}, "days"),
        ({"attacks_per_kind": -1}, "attacks_per_kind"),
        ({"attacks_from": 0.99}, "attacks_from"),
    ],
)
def test_impossible_arguments_are_named(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        simulate(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("population", sorted(POPULATIONS))
def test_the_smallest_organisation_still_has_every_attack(population: str) -> None:
    labels = simulate(population, accounts=20, days=7, seed=1).labels
    assert set(labels.loc[labels["is_attack"] == 1, "scenario"]) == set(ATTACKS)


def test_a_register_gives_row_numbers_and_refuses_unknown_columns() -> None:
    register = Register(size_m=1.0, key=0)
    assert register.add(2, key=[4, 5]).tolist() == [0, 1]
    assert register.add(1).tolist() == [2]
    assert register["key"].tolist() == [4, 5, 0]
    assert register["size_m"].tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(KeyError, match="colour"):
        register.add(1, colour=3)
    with pytest.raises(KeyError, match="colour"):
        logins(account=1, colour=3)


def test_hashes_depend_on_every_part_and_choices_follow_their_shares() -> None:
    assert mix([1, 1, 2], [3, 4, 3]).tolist() == mix([1, 1, 2], [3, 4, 3]).tolist()
    assert len(set(mix([1, 1, 2], [3, 4, 3]).tolist())) == 3
    shares = np.tile(np.array([[0.2, 0.5, 1.0]], np.float32), (3, 1))
    assert choose_rows(np.array([0.1, 0.4, 0.9]), shares).tolist() == [0, 1, 2]


def test_distances_between_cities_are_known_ones() -> None:
    places = atlas()
    assert places.distance[places.city("London"), places.city("Paris")] == pytest.approx(344, abs=5)
    assert places.distance[places.city("New York"), places.city("Singapore")] == pytest.approx(15_340, rel=0.01)
