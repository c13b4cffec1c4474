"""Evidence in cases worked out by hand: what is odd for this account, what is not, and what nobody can know."""

import numpy as np
import pytest
from organisations import Memory, frame, login
from worked import DAY, after, habit, strength, words

from monitor.columns import CATEGORICAL
from monitor.features import LEAST_NATS, NAMES, summary_names
from monitor.population import LIFETIMES

BERLIN = {"latitude": 52.52, "longitude": 13.405, "country": "DE", "city": "Berlin"}
LONDON = {"latitude": 51.5072, "longitude": -0.1276, "country": "GB", "city": "London"}
POTSDAM = {"latitude": 52.39, "longitude": 13.06, "country": "DE", "city": "Potsdam"}

#: All that a login is known by when the source says when and who.
BARE = {"hour", "weekday", "gap", "burst", "failure", "failure_burst"}

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


def test_a_source_that_gives_only_time_and_user_is_no_evidence_of_anything_else() -> None:
    _, measured = after(habit(), login(9), login(10))
    known = {name for column, name in enumerate(NAMES) if np.isfinite(measured.strength[:, column]).all()}
    unknown = {name for column, name in enumerate(NAMES) if np.isnan(measured.strength[:, column]).all()}
    assert known >= BARE
    assert known | unknown == set(NAMES)
    assert unknown >= {*CATEGORICAL, "travel", "distance", "address_failures", "rtt"}


def test_evidence_is_never_negative_and_dust_is_nought() -> None:
    _, measured = after(habit(**BERLIN, device_id="own"), *(login(9 + i, **BERLIN, device_id="own") for i in range(9)))
    heard = measured.strength[np.isfinite(measured.strength)]
    assert (heard >= 0).all()
    assert not ((heard > 0) & (heard < LEAST_NATS)).any()


@pytest.mark.parametrize("feature", [name for name in CATEGORICAL if name not in ("asn", "network", "browser", "os")])
def test_a_new_value_is_odder_than_a_rare_one_and_a_rare_one_than_the_usual(feature: str) -> None:
    column = {"device": "device_id"}.get(feature, feature)
    texts = {"country": ["DE", "AT", "KP"]}.get(feature, ["usual", "rare", "new"])
    history = habit(**{column: texts[0]})
    history[-10][column] = history[-20][column] = texts[1]
    usual, rare, new = (strength(feature, history, login(9, **{column: text}))[0] for text in texts)
    assert usual < 0.2 < rare < new


def test_a_newcomer_is_odd_for_what_is_rare_not_for_having_no_history() -> None:
    others = [
        one
        for n in range(20)
        for one in habit(10, user=f"user{n}", device_id=f"laptop {n}", country=["DE", "AT", "NL"][n % 3])
    ]
    at_home, from_afar = ({"user": name, "device_id": name} for name in ("bob", "eve"))
    new = [login(9, country="DE", **at_home), login(9, country="KP", **from_afar)]
    bob, eve = strength("country", others, *new)
    assert bob < 0.5 < 2 < eve
    assert max(strength("device", others, *new)) < 1.5, "everybody's first device was new to all"


def test_a_browsers_new_version_is_no_new_browser() -> None:
    history = habit(user_agent=CHROME.format(139))
    events, measured = after(history, login(9, user_agent=CHROME.format(140)), login(10, user_agent=FIREFOX))
    assert events["browser"].tolist() == ["Chrome", "Firefox"]
    new = measured.evidence["browser"].new
    assert new is not None
    assert new.tolist() == [False, True]
    same, other = measured.strength[:, NAMES.index("browser")]
    assert same < 0.1 < 1 < other
    assert measured.strength[1, NAMES.index("os")] < 0.1


def test_travel_is_the_speed_that_clocks_and_maps_cannot_explain() -> None:
    # 932 km, less 100 km of doubt, in 55 + 5 minutes.
    flight, drive = (strength("travel", habit(**BERLIN), login(-15 + hours, **LONDON))[0] for hours in (55 / 60, 48))
    assert flight == pytest.approx(np.log1p(831.6 / 100), rel=0.01)
    assert drive == pytest.approx(np.log1p(831.6 / (48 + 1 / 12) / 100), rel=0.01)
    assert strength("travel", habit(**BERLIN), login(-14.9, **POTSDAM)) == [0.0]
    assert words("travel", habit(**BERLIN), login(-15 + 40 / 60, **LONDON))[0] == "932 km in 40 minutes"


def test_travel_within_one_batch_starts_from_the_login_before() -> None:
    speeds = strength("travel", habit(**BERLIN), login(9, **LONDON), login(10, **LONDON), login(11, **BERLIN))
    assert speeds[1] == 0
    assert speeds[2] == pytest.approx(np.log1p(831.6 / (1 + 1 / 12) / 100), rel=0.01)


def test_the_distance_is_to_the_nearest_place_that_the_account_knows() -> None:
    both = habit(**BERLIN) + habit(5, hour=20, user="ada", **LONDON)
    both = [given | {"event_id": f"b{i}"} for i, given in enumerate(both)]
    known, near = strength("distance", both, login(9, **LONDON), login(10, latitude=51.0, longitude=2.0))
    assert known == 0
    assert near == pytest.approx(np.log1p((158 - 100) / 100), rel=0.05)  # Dunkirk is 158 km from London


def test_a_failure_is_odd_for_one_who_never_mistypes_and_less_so_for_one_who_often_does() -> None:
    careful = habit()
    clumsy = [given | {"outcome": "failure" if day % 2 else "success"} for day, given in enumerate(habit())]
    clumsy = clumsy[:-7] + [given | {"outcome": "success"} for given in clumsy[-7:]]  # long enough to be told anew
    failed = login(9, outcome="failure")
    # 40 attempts decayed over 40 days, none failed, and 5 pseudo-attempts of which a twentieth fails.
    attempts = sum(2 ** -((day * DAY) / DAY / 60) for day in range(1, 41))
    assert strength("failure", careful, failed)[0] == pytest.approx(-np.log(0.25 / (attempts + 5)), rel=0.01)
    assert strength("failure", clumsy, failed)[0] == pytest.approx(
        -np.log((attempts / 2 - 3.5 + 0.25) / (attempts + 5)), rel=0.05
    )
    assert strength("failure", careful, login(9)) == [0.0]


def test_failures_pile_up_before_a_success_and_fade_within_hours() -> None:
    failures = [login(9 + i / 60, outcome="failure") for i in range(10)]
    burst = strength("failure_burst", habit(), *failures, login(9.2), login(15), login(40))
    assert burst[0] == 0
    assert (np.diff(burst[:11]) > 0).all()
    assert burst[11] < burst[10] / 100
    assert burst[12] == 0
    _, measured = after(habit(), *failures, login(9.2))
    assert measured.evidence["failure_burst"].observed(np.array([10])) == ["9 failures within the hour before"]


def test_what_is_left_of_one_failure_is_told_as_one() -> None:
    _, measured = after(habit(), login(9, outcome="failure"), login(11))
    assert measured.strength[1, NAMES.index("failure_burst")] > 0.1
    assert measured.evidence["failure_burst"].observed(np.array([0, 1])) == [
        "0 failures within the hour before",
        "1 failure within the hour before",
    ]


def test_a_burst_of_failures_goes_on_across_batches() -> None:
    failures = [login(9 + i / 60, outcome="failure", event_id=f"f{i}") for i in range(10)]
    memory = Memory()
    memory.learn(frame(habit()))
    memory.learn(frame(failures))
    apart = memory.learn(frame([login(9.2, event_id="s")])).strength[0]
    together = after(habit(), *failures, login(9.2))[1].strength[-1]
    assert apart[NAMES.index("failure_burst")] == pytest.approx(together[NAMES.index("failure_burst")], rel=1e-4)


def test_an_address_that_nobody_knows_and_many_accounts_come_from_is_odd() -> None:
    regulars = [given for i in range(12) for given in habit(5, user=f"user{i}", ip=f"198.51.{i}.1")]
    crowd = [login(9 + i / 100, f"user{i}", ip="203.0.113.9") for i in range(12)]
    evidence = strength("address_accounts", regulars, *crowd)
    assert evidence[0] == 0
    # Eleven others, the first of them seven minutes ago, where nobody was at home.
    assert evidence[-1] == pytest.approx(np.log1p(sum(np.exp(-i / 100) for i in range(1, 12))), rel=0.02)
    assert (np.diff(evidence) > 0).all()
    events, measured = after(regulars, *crowd)
    row = int(events.index[events["event_id"] == "now11"][0])
    said = measured.evidence["address_accounts"].observed(np.array([row]))
    assert said == ["11 new accounts from this address within the hour"]


def test_an_office_stays_ordinary_however_many_come_from_its_address() -> None:
    office = [given for i in range(12) for given in habit(20, user=f"user{i}", ip="203.0.113.9")]
    morning = [login(9 + i / 100, f"user{i}", ip="203.0.113.9") for i in range(12)]
    newcomers = [login(9.5 + i / 100, f"new{i}", ip="203.0.113.9") for i in range(3)]
    assert np.isnan(strength("address_accounts", office, *morning)).all()  # whoever is at home there is not asked
    assert np.nanmax(strength("address_accounts", office, *morning, *newcomers)) < 0.3


def test_a_strange_network_to_which_people_bring_their_own_devices_is_ordinary() -> None:
    own = [given for i in range(12) for given in habit(5, user=f"user{i}", device_id=f"d{i}", ip=f"198.51.{i}.1")]
    conference = [login(9 + i / 100, f"user{i}", device_id=f"d{i}", ip="203.0.113.9") for i in range(12)]
    stolen = [login(9 + i / 100, f"user{i}", device_id="robot", ip="203.0.113.9") for i in range(12)]
    assert max(strength("address_accounts", own, *conference)) == 0
    assert max(strength("address_accounts", own, *stolen)) > 2


def test_one_persons_many_logins_are_one_account_at_an_address() -> None:
    again = [login(9 + i / 100, ip="203.0.113.9") for i in range(12)]
    assert max(strength("address_accounts", habit(ip="198.51.100.1"), *again)) == 0


def test_failures_from_one_address_or_one_network_are_odd_however_many_accounts_they_are_spread_over() -> None:
    regulars = [given for i in range(12) for given in habit(5, user=f"user{i}", ip=f"198.51.100.{i}", asn=64500)]
    spray = [login(9 + i / 100, f"user{i}", ip="203.0.113.9", asn=64501, outcome="failure") for i in range(12)]
    slow = [login(2 * i, f"user{i}", ip=f"203.0.{i}.9", asn=64501, outcome="failure") for i in range(12)]
    fine = [login(9 + i / 100, f"user{i}", ip="203.0.113.9", asn=64501) for i in range(12)]
    assert strength("address_failures", regulars, *spray)[-1] > 15
    assert strength("network_failures", regulars, *slow)[-1] > 10
    assert strength("address_failures", regulars, *slow)[-1] < 4
    assert strength("address_failures", regulars, *fine)[-1] == 0


def test_what_an_address_did_fades_across_batches() -> None:
    spray = [login(9 + i / 100, f"user{i}", ip="203.0.113.9", outcome="failure") for i in range(12)]
    hours = LIFETIMES["address"] / 3600
    soon, later = (
        strength("address_failures", spray, login(10 + wait, "victim", ip="203.0.113.9", outcome="failure"))[0]
        for wait in (0.0, 6 * hours)
    )
    assert soon > 8
    assert later < 4


def test_a_slow_connection_is_odd_and_a_fast_one_is_not() -> None:
    history = habit(rtt_ms=40)
    slow, fast, unknown = strength("rtt", history, login(9, rtt_ms=400), login(10, rtt_ms=4), login(11))
    assert slow > 5
    assert fast == 0
    assert np.isnan(unknown)
    assert words("rtt", history, login(9, rtt_ms=400)) == ("400 ms", "about 40 ms")


def test_words_say_what_is_usual_for_the_account() -> None:
    history = habit(country="DE")
    history[-1] |= {"country": "AT"}
    observed, usual = words("country", history, login(9, country="KP"))
    assert observed == "KP"
    assert usual in ("DE 97 %, AT 3 %", "DE 96 %, AT 4 %")
    assert words("country", habit(), login(9, country="KP"))[1] == "nothing yet"
    assert words("hour", habit(), login(3))[0] == "03:00 UTC"


def test_every_statistic_that_is_kept_has_its_slot_in_the_stored_summary() -> None:
    _, measured = after(habit(**BERLIN), login(9, **BERLIN))
    state = measured.past.after(measured.past.stored.window)
    assert (tuple(sorted(state.statistics)), tuple(sorted(state.latest))) == summary_names()
