"""Findings are what OCSF's own schema says a Detection Finding is."""

from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from receivers import ALERT, HOSTILE, KEY, notice

from monitor.channels import ocsf
from monitor.channels.payload import encoded


@cache
def schema() -> tuple[Any, jsonschema.Draft202012Validator]:
    compiled = get_ocsf_schema(version=ocsf.SCHEMA_VERSION)
    found = OcsfJsonSchemaEmbedded(compiled).get_class_schema("detection_finding")
    return compiled, jsonschema.Draft202012Validator(found)


def check(finding: dict[str, Any]) -> None:
    compiled, validator = schema()
    assert [error.message for error in validator.iter_errors(finding)] == []
    assert_constraints(compiled, "detection_finding", finding, compiled["classes"])


def assert_constraints(compiled: Any, kind: str, value: dict[str, Any], kinds: Any) -> None:
    """``at_least_one`` of OCSF's objects, which JSON Schema does not say here, and no attribute that OCSF lacks."""
    about = kinds[kind]
    assert set(value) <= set(about["attributes"]), kind
    wanted = (about.get("constraints") or {}).get("at_least_one")
    assert wanted is None or set(wanted) & set(value), kind
    for name, inner in value.items():
        attribute = about["attributes"][name]
        if attribute["type"] == "object_t" and attribute["object_type"] != "object":
            for one in inner if isinstance(inner, list) else [inner]:
                assert_constraints(compiled, attribute["object_type"], one, compiled["objects"])


@pytest.mark.parametrize("kind", ["opened", "worsened", "test"])
@pytest.mark.parametrize("severity", ["low", "medium", "high", "critical"])
@pytest.mark.parametrize("status", ["open", "confirmed", "dismissed"])
def test_every_kind_of_notice_is_a_valid_detection_finding(kind: str, severity: str, status: str) -> None:
    check(ocsf.detection_finding(notice(kind=kind, severity=severity, status=status)))


def test_all_that_the_class_requires_is_there() -> None:
    attributes = schema()[0]["classes"]["detection_finding"]["attributes"]
    profiles = {name for name, one in attributes.items() if one.get("profile")}
    required = {name for name, one in attributes.items() if one["requirement"] == "required"} - profiles
    finding = ocsf.detection_finding(notice())
    assert required - {"cloud", "osint"} <= set(finding)  # those two are of profiles that are not applied
    assert (finding["class_uid"], finding["category_uid"], finding["type_uid"]) == (2004, 2, 200401)


def test_repeats_and_updates_can_be_told_apart() -> None:
    first, worse = (ocsf.detection_finding(notice(kind=kind)) for kind in ("opened", "worsened"))
    assert first["metadata"]["uid"] == str(KEY)
    assert first["finding_info"]["uid"] == worse["finding_info"]["uid"] == str(ALERT)
    assert (first["activity_id"], worse["activity_id"]) == (1, 2)


def test_what_was_observed_stands_beside_what_is_usual() -> None:
    (analysis,) = ocsf.detection_finding(notice())["anomaly_analyses"]
    assert analysis["anomalies"] == [{"observation_parameter": "city", "observations": [{"value": "Lagos"}]}]
    assert analysis["baselines"] == [{"observation_parameter": "city", "observations": [{"value": "Berlin"}]}]


@given(
    st.dictionaries(
        st.sampled_from(sorted(notice().event)),
        st.none() | st.sampled_from(["", HOSTILE, "x" * 600]),
    )
)
def test_logins_that_say_little_or_much_are_valid_too(said: dict[str, Any]) -> None:
    typed = {name: value for name, value in said.items() if name not in ("ip", "asn", "latitude", "longitude")}
    check(ocsf.detection_finding(notice(event=typed)))
    check(ocsf.detection_finding(notice(event=dict(notice().event) | typed, reasons=[])))


def test_attackers_words_stay_inside_their_string() -> None:
    line = encoded(ocsf.detection_finding(notice(user_name=HOSTILE, headline=HOSTILE)))
    assert line.isascii()
    assert line.isprintable()
