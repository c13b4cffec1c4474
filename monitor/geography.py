"""Distances and travel speeds on the sphere, with the uncertainty of looked-up places.

Units: degrees (WGS 84), kilometres, seconds, kilometres per hour. All functions take and give arrays.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0088  # mean radius R1 (IUGG)

#: A place looked up from an address is right within about 50 km (MaxMind's accuracy radius for most cities),
#: so two looked-up places can differ by twice that without anybody having moved.
PLACE_UNCERTAINTY_KM = 50.0

#: Two logins closer in time than this say nothing about speed: clocks and log shipping differ by minutes.
TIME_UNCERTAINTY_S = 300.0


def distance_km(latitude: Floats, longitude: Floats, other_latitude: Floats, other_longitude: Floats) -> Floats:
    """Great-circle distance by the haversine formula; NaN where a coordinate is unknown."""
    phi, other_phi = np.radians(latitude), np.radians(other_latitude)
    half_phi = (other_phi - phi) / 2
    half_lambda = np.radians(other_longitude - longitude) / 2
    chord = np.sin(half_phi) ** 2 + np.cos(phi) * np.cos(other_phi) * np.sin(half_lambda) ** 2
    distance: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
    return distance


def certain_distance_km(distance: Floats) -> Floats:
    """The part of a distance that the uncertainty of both places cannot explain."""
    return np.maximum(distance - 2 * PLACE_UNCERTAINTY_KM, 0.0)


def implied_speed_kmh(distance: Floats, seconds: Floats) -> Floats:
    """Least speed (km/h) that explains two logins ``distance`` km and ``seconds`` apart, in favour of the traveller."""
    hours = (np.maximum(seconds, 0.0) + TIME_UNCERTAINTY_S) / 3600.0
    return certain_distance_km(distance) / hours
