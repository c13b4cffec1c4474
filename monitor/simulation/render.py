"""From the simulation's own columns to canonical login events and their labels."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitor.simulation.columns import ATTACKS, CODE, SCENARIOS, Rows, mix, take
from monitor.simulation.devices import RENEWED, device_ids, user_agents, version_steps
from monitor.simulation.networks import HOME, MOBILE, address6_texts, address_numbers, address_texts
from monitor.simulation.people import AUTH, World

_DAY = 86_400.0
_FIRST_ATTACK = CODE[ATTACKS[0]]


def render(world: World, rows: Rows, seed: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Events in order of time with the canonical columns, and a label for every one of them."""
    rows = take(rows, np.argsort(rows["seconds"], kind="stable"))
    size = len(rows["account"])
    ids = np.array([f"{world.population}-{seed}-{number:08d}" for number in range(size)], dtype=object)
    steps = version_steps(world.devices, rows["device"], rows["seconds"], world.start)
    device_id, turn = device_ids(world.devices, rows["device"], rows["seconds"], rng.random(size))
    _mark_renewals(world, rows, steps, turn)
    milliseconds = np.round(rows["seconds"] * 1_000).astype("timedelta64[ms]")
    begin = np.datetime64(world.start.replace(tzinfo=None), "ms")
    columns = {
        "event_id": ids,
        "occurred_at": pd.to_datetime(begin + milliseconds, utc=True).as_unit("us"),
        "user": world.people.name[rows["account"]],
        "outcome": np.where(rows["success"], "success", "failure"),
        "ip": _addresses(world, rows),
        **_geography(world, rows, rng),
        "user_agent": user_agents(world.devices, rows["device"], steps),
        "device_id": device_id,
        "auth_method": np.array(AUTH, dtype=object)[rows["auth"]],
        "application": _unless(rng.random(size) < 0.01, np.array(world.applications, object)[rows["application"]]),
        "rtt_ms": round_trips(world, rows, rng),
    }
    events = pd.DataFrame(columns)
    for name in events.columns.difference(["occurred_at", "latitude", "longitude", "asn", "rtt_ms"]):
        events[name] = events[name].astype("str")
    return events, _labels(ids, rows)


def _labels(ids: NDArray[np.object_], rows: Rows) -> pd.DataFrame:
    attack = rows["scenario"] >= _FIRST_ATTACK
    scenario = np.array(SCENARIOS, dtype=object)[rows["scenario"]]
    codes, back = np.unique(rows["incident"], return_inverse=True)
    texts = np.array([f"incident-{code:04d}" if code >= 0 else "" for code in codes.tolist()], dtype=object)
    labels = {"event_id": ids, "is_attack": attack.astype(np.int64), "incident": texts[back], "scenario": scenario}
    return pd.DataFrame(labels).astype({"event_id": "str", "incident": "str", "scenario": "str"})


def _mark_renewals(world: World, rows: Rows, steps: NDArray[np.int64], turn: NDArray[np.int64]) -> None:
    """Plain logins that are a device's first with a renewed id or a new browser release get that scenario."""
    order = np.lexsort((rows["seconds"], rows["device"]))
    device = rows["device"][order]
    follows = np.concatenate([[False], device[1:] == device[:-1]])
    renewed = follows & (np.diff(turn[order], prepend=0) > 0) & (world.devices["identity"][device] == RENEWED)
    updated = follows & (np.diff(steps[order] // 2, prepend=0) > 0)
    plain = rows["scenario"][order] == 0
    rows["scenario"][order[plain & updated]] = CODE["browser_update"]
    rows["scenario"][order[plain & renewed]] = CODE["device_id_renewed"]


def _addresses(world: World, rows: Rows) -> NDArray[np.object_]:
    link, links = rows["link"], world.links
    numbers = address_numbers(links, link, rows["account"], rows["seconds"])
    texts = address_texts(numbers)
    modern = links["v6"][link] & (mix(world.devices["key"][rows["device"]], 6) % np.uint64(10) < 8)
    at = np.flatnonzero(modern)
    if len(at):
        lease = np.minimum(links["lease_s"][link[at]] * 20, 1e9)  # prefixes stay longer than addresses did
        who = np.where(links["kind"][link[at]] == HOME, links["key"][link[at]], rows["account"][at])
        subscriber = mix(link[at], who, rows["seconds"][at] // np.maximum(lease, 1.0))
        interface = mix(rows["device"][at], rows["seconds"][at] // _DAY)
        texts[at] = address6_texts(links["base"][link[at]] >> 14, subscriber, interface)
    return texts


def _geography(world: World, rows: Rows, rng: np.random.Generator) -> dict[str, object]:
    """What an address database says of each address: some networks it knows only by country, a few not at all."""
    places, links, link = world.atlas, world.links, rows["link"]
    city = np.where(rows["city"] >= 0, rows["city"], links["city"][link]).astype(np.int64)
    vague = np.where(links["kind"][link] == MOBILE, 30, 4)
    hidden = (mix(link, rows["account"], rows["seconds"] // 7_200) % np.uint64(100)).astype(np.int64)
    known = np.where(links["kind"][link] == MOBILE, hidden, (mix(link, 3) % np.uint64(100)).astype(np.int64)) >= vague
    shift = ((mix(np.column_stack([link, city])[:, 0], city, 9) % np.uint64(800)).astype(float) - 400) / 10_000
    located = rng.random(len(link)) > 0.003
    return {
        "country": _unless(~located, places.country[city]),
        "region": _unless(~(known & located), places.region[city]),
        "city": _unless(~(known & located), places.name[city]),
        "latitude": np.where(known & located, np.round(places.latitude[city] + shift, 4), np.nan),
        "longitude": np.where(known & located, np.round(places.longitude[city] - shift, 4), np.nan),
        "asn": pd.array(_unless(mix(link, 8) % np.uint64(100) < 1, links["asn"][link].astype(object)), dtype="Int64"),
    }


def _unless(hidden: NDArray[np.bool_], values: NDArray[np.object_]) -> NDArray[np.object_]:
    values = values.copy()
    values[hidden] = None
    return values


def round_trips(world: World, rows: Rows, rng: np.random.Generator) -> NDArray[np.float64]:
    """Milliseconds there and back: light in fibre takes 1 ms per 100 km both ways, cables wind, the last mile waits."""
    city = world.links["city"][rows["link"]]
    to_service = world.atlas.distance[:, world.datacentres].min(axis=1)[city]
    winding = 1.25 + 0.35 * (mix(rows["link"], 4) % np.uint64(1_000)).astype(float) / 1_000
    last_mile = world.links["lag_ms"][rows["link"]] * rng.lognormal(0.0, 0.35, len(city))
    time = (to_service + rows["detour_km"]) / 100.0 * winding + last_mile + 1.0 + rng.gamma(1.2, 4.0, len(city))
    missing = world.devices["no_rtt"][rows["device"]] | (rng.random(len(city)) < 0.06)
    return np.where(missing, np.nan, np.round(time, 1))
