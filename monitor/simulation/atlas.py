"""The world a simulated organisation lives in: cities with coordinates, time zones, and how far apart they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from monitor.simulation.cities import CITIES

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class Atlas:
    """Columns over cities; a city is its row number everywhere else in the simulation."""

    name: NDArray[np.object_]
    region: NDArray[np.object_]
    country: NDArray[np.object_]
    zone: NDArray[np.object_]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    weight: NDArray[np.float64]
    distance: NDArray[np.float64]  # km, [city, city]

    def city(self, name: str) -> int:
        """Row of the city called ``name``; ``KeyError`` for a name the atlas does not have."""
        found = np.flatnonzero(self.name == name)
        if not len(found):
            raise KeyError(name)
        return int(found[0])

    def cities_in(self, country: str) -> NDArray[np.int64]:
        return np.flatnonzero(self.country == country)

    def offsets(self, start: datetime, days: int) -> NDArray[np.float64]:
        """Seconds that local time is ahead of UTC, [city, day]: daylight saving moves habits in UTC by an hour."""
        zones, which = np.unique(self.zone.astype(str), return_inverse=True)
        table = np.empty((len(zones), days))
        for row, zone in enumerate(zones):
            info = ZoneInfo(str(zone))
            for day in range(days):
                noon = (start + timedelta(days=day, hours=12)).astimezone(info)
                offset = noon.utcoffset()
                table[row, day] = offset.total_seconds() if offset else 0.0
        return table[which]


def distances(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle distances in km between all pairs of points in degrees (haversine)."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    half = (
        np.sin((phi[:, None] - phi[None]) / 2) ** 2
        + np.cos(phi[:, None]) * np.cos(phi[None]) * np.sin((lam[:, None] - lam[None]) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def atlas() -> Atlas:
    """The atlas of all cities."""
    rows = [line.split(",") for line in CITIES.strip().splitlines()]
    columns = (np.array(column, object) for column in zip(*rows, strict=True))
    country, name, region, latitude, longitude, weight, zone = columns
    degrees = latitude.astype(float), longitude.astype(float)
    return Atlas(name, region, country, zone, *degrees, weight.astype(float), distances(*degrees))
