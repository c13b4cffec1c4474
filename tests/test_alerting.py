"""Alerts are told to people: what belongs together is one incident, in one line, whatever attackers typed."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting import INCIDENT_GAP_S, MOST_REASONS, PHRASES, Reason, headline, incidents, local_time, severity
from monitor.features import NAMES

HOUR = 3600.0

HOSTILE = ["{0}", "{0.__class__}", "%s", "<script>", "a\nb", " in ", "\u202eevil", "\x1b[2J"]
NIGHT = datetime(2026, 3, 4, 2, 12, tzinfo=UTC)
LAGOS = (6.45, 3.39)


def groups(account: list[int], hours: list[float], until: list[float] | None = None) -> tuple[list[int], list[bool]]:
    open_until = np.full(len(hours), np.nan) if until is None else np.array(until) * HOUR
    number, continues = incidents(np.array(account), np.array(hours) * HOUR, open_until)
    return number.tolist(), continues.tolist()


def test_odd_logins_of_one_account_without_a_long_pause_are_one_incident() -> None:
    assert INCIDENT_GAP_S == 12 * HOUR
    assert groups([0, 0, 0, 0], [0, 11, 22, 35]) == ([0, 0, 0, 1], [False, False])


def test_accounts_have_incidents_of_their_own() -> None:
    assert groups([0, 0, 1, 2], [5, 6, 6, 6])[0] == [0, 0, 1, 2]


def test_an_incident_continues_the_open_alert_of_its_account_if_that_is_near() -> None:
    assert groups([0, 1], [10, 40], [0, 10]) == ([0, 1], [True, False])
    assert groups([0], [-3], [0])[1] == [True], "a late login belongs to the incident that followed it"


def test_of_several_incidents_only_one_continues_an_open_alert() -> None:
    assert groups([0, 0], [15, 30], [20, 20]) == ([0, 1], [True, False])
    assert groups([0, 0, 1], [5, 30, 50], [20, 20, 50]) == ([0, 1, 2], [False, True, True])


def test_no_odd_logins_are_no_incidents() -> None:
    assert groups([], []) == ([], [])


@pytest.mark.parametrize(
    ("score", "name"),
    [(2.0, "low"), (3.0, "medium"), (3.99, "medium"), (4.0, "high"), (5.0, "critical"), (60, "critical")],
)
def test_severity_goes_by_how_many_ordinary_logins_are_as_odd(score: float, name: str) -> None:
    assert severity(score) == name


def test_a_headline_says_what_happened_as_a_person_would() -> None:
    reasons = [
        Reason("travel", 9.0, "5,020 km in 40 minutes", "a speed people travel at"),
        Reason("city", 8.0, "Lagos, NG", "Berlin, DE 97 %", new=True),
        Reason("country", 7.0, "NG", "DE 97 %", new=True),
        Reason("device", 5.0, "f00", "a1b 90 %", new=True),
        Reason("hour", 3.0, "02:12 UTC", "09 20 %"),
    ]
    assert headline(reasons, NIGHT, *LAGOS) == (
        "First login from Lagos, NG, 5,020 km from the last one 40 minutes earlier; new device; Wed 03:12 local"
    )


def test_the_strongest_reason_comes_first_and_what_hardly_mattered_is_left_out() -> None:
    reasons = [
        Reason("gap", 1.0, "31 days since the last login", "about every 24 hours"),
        Reason("failure_burst", 9.0, "9 failures within the hour before", "1 % of attempts fail"),
        Reason("application", 0.1, "crm", "mail 80 %"),
    ]
    line = headline(reasons, NIGHT, None, None)
    assert line == "9 failures within the hour before; 31 days since the last login"


def test_what_several_features_say_of_one_theme_counts_together() -> None:
    place = [Reason(name, 3.0, "Lagos, NG", "Berlin, DE 97 %", new=True) for name in ("country", "region", "city")]
    line = headline([Reason("device", 5.0, "f00", "a1b 90 %", new=True), *place], NIGHT, None, None)
    assert line == "First login from Lagos, NG; new device"


def test_a_value_that_was_seen_before_is_rare_and_not_new() -> None:
    rare = headline(
        [Reason("city", 5.0, "Graz, AT", "Wien, AT 99 %"), Reason("asn", 4.0, "1853", "8447 99 %")], NIGHT, None, None
    )
    assert rare == "Rare login from Graz, AT; rare network AS1853"


def test_a_headline_names_few_themes_and_each_once() -> None:
    strong = ("travel", "city", "country", "asn", "network", "device", "browser", "os", "application", "gap", "burst")
    everything = [Reason(name, 1.0, "x in y", "z", new=True) for name in strong]
    parts = headline(everything, NIGHT, None, None).split("; ")
    assert len(parts) == MOST_REASONS == len(set(parts))


def test_every_feature_has_words_of_its_own() -> None:
    assert set(NAMES) <= set(PHRASES)


def test_without_reasons_there_still_is_a_line() -> None:
    assert headline([], NIGHT, None, None) == "Unusual in many small ways"


def test_the_time_is_that_of_the_place_and_else_says_that_it_is_utc() -> None:
    assert local_time(NIGHT, 40.71, -74.0) == "Tue 21:12 local"
    assert local_time(NIGHT, 6.45, 3.39) == "Wed 03:12 local"
    assert local_time(NIGHT, None, None) == "Wed 02:12 UTC"


@given(
    st.lists(
        st.builds(
            Reason,
            st.sampled_from([*NAMES, "a_feature_of_tomorrow"]),
            st.floats(0, 1e6),
            st.none() | st.text(max_size=80) | st.sampled_from(HOSTILE),
            st.none() | st.text(max_size=20),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
)
def test_any_text_an_attacker_chooses_makes_one_bounded_line(
    reasons: list[Reason], place: tuple[float, float] | None
) -> None:
    line = headline(reasons, NIGHT, *(place or (None, None)))
    assert line.strip()
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert len(line) < 1_000


def test_braces_and_percent_signs_of_an_attacker_are_only_text() -> None:
    line = headline([Reason("application", 5.0, "{0.__class__} %s", "mail 99 %", new=True)], NIGHT, None, None)
    assert line == "First use of {0.__class__} %s"


def test_a_text_of_many_kilobytes_is_cut() -> None:
    long = Reason("application", 5.0, "A" * 10_000, "mail 99 %", new=True)
    assert len(headline([long], NIGHT, None, None)) < 300
