"""The world a simulated organisation lives in: cities with coordinates, time zones, and how far apart they are.

Coordinates are city centres to a hundredth of a degree, as an address database reports them; the last number
of a city is its weight (about its inhabitants in hundred thousands), which makes big cities likelier homes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0

#: One country a line: ISO code, time zone (a city may name its own after ``@``), then ``city/region/lat/lon/weight``.
_CITIES = """
US America/New_York New York/New York/40.71/-74.01/88@ Boston/Massachusetts/42.36/-71.06/7@ Atlanta/Georgia/33.75/-84.39/5@ \
Chicago/Illinois/41.88/-87.63/27@America/Chicago Dallas/Texas/32.78/-96.80/13@America/Chicago \
Austin/Texas/30.27/-97.74/10@America/Chicago Houston/Texas/29.76/-95.37/23@America/Chicago \
Denver/Colorado/39.74/-104.99/7@America/Denver Phoenix/Arizona/33.45/-112.07/16@America/Phoenix \
Seattle/Washington/47.61/-122.33/7@America/Los_Angeles San Francisco/California/37.77/-122.42/9@America/Los_Angeles \
Los Angeles/California/34.05/-118.24/39@America/Los_Angeles Miami/Florida/25.76/-80.19/5@ Ashburn/Virginia/39.04/-77.49/1@
CA America/Toronto Toronto/Ontario/43.65/-79.38/29@ Ottawa/Ontario/45.42/-75.70/10@ Montreal/Quebec/45.50/-73.57/18@ \
Calgary/Alberta/51.05/-114.07/13@America/Edmonton Vancouver/British Columbia/49.28/-123.12/7@America/Vancouver
MX America/Mexico_City Mexico City/Mexico City/19.43/-99.13/92@ Guadalajara/Jalisco/20.67/-103.35/14@ Monterrey/Nuevo Leon/25.69/-100.32/11@
BR America/Sao_Paulo Sao Paulo/Sao Paulo/-23.55/-46.63/120@ Rio de Janeiro/Rio de Janeiro/-22.91/-43.17/67@ \
Curitiba/Parana/-25.43/-49.27/19@ Salvador/Bahia/-12.97/-38.50/29@America/Bahia
AR America/Argentina/Buenos_Aires Buenos Aires/Buenos Aires/-34.60/-58.38/30@ Cordoba/Cordoba/-31.42/-64.18/14@
CO America/Bogota Bogota/Bogota/4.71/-74.07/79@ Medellin/Antioquia/6.24/-75.58/25@
GB Europe/London London/England/51.51/-0.13/89@ Manchester/England/53.48/-2.24/6@ Birmingham/England/52.48/-1.90/11@ \
Leeds/England/53.80/-1.55/8@ Bristol/England/51.45/-2.59/5@ Reading/England/51.45/-0.97/2@ Edinburgh/Scotland/55.95/-3.19/5@ Cardiff/Wales/51.48/-3.18/4@
IE Europe/Dublin Dublin/Leinster/53.35/-6.26/6@ Cork/Munster/51.90/-8.47/2@ Galway/Connacht/53.27/-9.06/1@
FR Europe/Paris Paris/Ile-de-France/48.86/2.35/21@ Versailles/Ile-de-France/48.80/2.13/1@ Lyon/Auvergne-Rhone-Alpes/45.76/4.84/5@ \
Marseille/Provence-Alpes-Cote d'Azur/43.30/5.37/9@ Toulouse/Occitanie/43.60/1.44/5@ Lille/Hauts-de-France/50.63/3.06/2@ Nantes/Pays de la Loire/47.22/-1.55/3@
DE Europe/Berlin Berlin/Berlin/52.52/13.41/37@ Potsdam/Brandenburg/52.40/13.07/2@ Hamburg/Hamburg/53.55/9.99/19@ Munich/Bavaria/48.14/11.58/15@ \
Augsburg/Bavaria/48.37/10.90/3@ Frankfurt am Main/Hesse/50.11/8.68/8@ Darmstadt/Hesse/49.87/8.65/2@ Mainz/Rhineland-Palatinate/50.00/8.27/2@ \
Cologne/North Rhine-Westphalia/50.94/6.96/11@ Dusseldorf/North Rhine-Westphalia/51.23/6.78/6@ Stuttgart/Baden-Wurttemberg/48.78/9.18/6@ Leipzig/Saxony/51.34/12.37/6@
NL Europe/Amsterdam Amsterdam/North Holland/52.37/4.90/9@ Haarlem/North Holland/52.38/4.64/2@ Utrecht/Utrecht/52.09/5.12/4@ \
Rotterdam/South Holland/51.92/4.48/7@ Eindhoven/North Brabant/51.44/5.48/2@
BE Europe/Brussels Brussels/Brussels/50.85/4.35/12@ Antwerp/Flanders/51.22/4.40/5@ Ghent/Flanders/51.05/3.72/3@
CH Europe/Zurich Zurich/Zurich/47.38/8.54/4@ Winterthur/Zurich/47.50/8.72/1@ Geneva/Geneva/46.20/6.14/2@ Basel/Basel-City/47.56/7.59/2@ Bern/Bern/46.95/7.45/1@
AT Europe/Vienna Vienna/Vienna/48.21/16.37/19@ Graz/Styria/47.07/15.44/3@ Linz/Upper Austria/48.31/14.29/2@
ES Europe/Madrid Madrid/Madrid/40.42/-3.70/33@ Barcelona/Catalonia/41.39/2.17/16@ Valencia/Valencia/39.47/-0.38/8@ \
Seville/Andalusia/37.39/-5.98/7@ Malaga/Andalusia/36.72/-4.42/6@ Palma/Balearic Islands/39.57/2.65/4@
PT Europe/Lisbon Lisbon/Lisbon/38.72/-9.14/6@ Porto/Porto/41.16/-8.63/3@ Faro/Faro/37.02/-7.93/1@
IT Europe/Rome Rome/Lazio/41.90/12.50/28@ Milan/Lombardy/45.46/9.19/14@ Bergamo/Lombardy/45.70/9.67/1@ Turin/Piedmont/45.07/7.69/9@ \
Naples/Campania/40.85/14.27/9@ Bologna/Emilia-Romagna/44.49/11.34/4@
PL Europe/Warsaw Warsaw/Mazovia/52.23/21.01/18@ Krakow/Lesser Poland/50.06/19.94/8@ Wroclaw/Lower Silesia/51.11/17.03/6@ \
Gdansk/Pomerania/54.35/18.65/5@ Lodz/Lodz/51.76/19.46/7@
CZ Europe/Prague Prague/Prague/50.08/14.44/13@ Brno/South Moravia/49.20/16.61/4@
SE Europe/Stockholm Stockholm/Stockholm/59.33/18.07/10@ Uppsala/Uppsala/59.86/17.64/2@ Gothenburg/Vastra Gotaland/57.71/11.97/6@ Malmo/Skane/55.60/13.00/3@
NO Europe/Oslo Oslo/Oslo/59.91/10.75/7@ Bergen/Vestland/60.39/5.32/3@ Stavanger/Rogaland/58.97/5.73/1@ Trondheim/Trondelag/63.43/10.40/2@
DK Europe/Copenhagen Copenhagen/Capital Region/55.68/12.57/7@ Aarhus/Central Jutland/56.16/10.20/3@
FI Europe/Helsinki Helsinki/Uusimaa/60.17/24.94/7@ Espoo/Uusimaa/60.21/24.66/3@ Tampere/Pirkanmaa/61.50/23.79/2@
RO Europe/Bucharest Bucharest/Bucharest/44.43/26.10/18@ Cluj-Napoca/Cluj/46.77/23.60/3@ Iasi/Iasi/47.16/27.59/3@
GR Europe/Athens Athens/Attica/37.98/23.73/7@ Thessaloniki/Central Macedonia/40.64/22.94/3@ Heraklion/Crete/35.34/25.14/1@
UA Europe/Kyiv Kyiv/Kyiv/50.45/30.52/29@ Lviv/Lviv/49.84/24.03/7@
TR Europe/Istanbul Istanbul/Istanbul/41.01/28.98/155@ Ankara/Ankara/39.93/32.86/57@ Antalya/Antalya/36.90/30.71/13@
IL Asia/Jerusalem Tel Aviv/Tel Aviv/32.08/34.78/5@ Haifa/Haifa/32.79/34.99/3@
AE Asia/Dubai Dubai/Dubai/25.20/55.27/33@ Abu Dhabi/Abu Dhabi/24.45/54.38/15@
SA Asia/Riyadh Riyadh/Riyadh/24.71/46.68/70@ Jeddah/Makkah/21.49/39.19/40@
EG Africa/Cairo Cairo/Cairo/30.04/31.24/97@ Alexandria/Alexandria/31.20/29.92/52@
NG Africa/Lagos Lagos/Lagos/6.52/3.38/150@ Abuja/Federal Capital Territory/9.06/7.50/30@
KE Africa/Nairobi Nairobi/Nairobi/-1.29/36.82/44@ Mombasa/Mombasa/-4.04/39.67/12@
ZA Africa/Johannesburg Johannesburg/Gauteng/-26.20/28.05/56@ Cape Town/Western Cape/-33.92/18.42/43@ Durban/KwaZulu-Natal/-29.86/31.02/36@
IN Asia/Kolkata Mumbai/Maharashtra/19.08/72.88/124@ Pune/Maharashtra/18.52/73.86/31@ Bengaluru/Karnataka/12.97/77.59/84@ \
Delhi/Delhi/28.61/77.21/110@ Hyderabad/Telangana/17.39/78.49/68@ Chennai/Tamil Nadu/13.08/80.27/46@
PK Asia/Karachi Karachi/Sindh/24.86/67.01/149@ Lahore/Punjab/31.55/74.34/111@
BD Asia/Dhaka Dhaka/Dhaka/23.81/90.41/89@ Chittagong/Chittagong/22.36/91.78/26@
ID Asia/Jakarta Jakarta/Jakarta/-6.21/106.85/106@ Surabaya/East Java/-7.26/112.75/29@ Denpasar/Bali/-8.65/115.22/7@Asia/Makassar
MY Asia/Kuala_Lumpur Kuala Lumpur/Kuala Lumpur/3.14/101.69/18@ George Town/Penang/5.41/100.33/7@
SG Asia/Singapore Singapore/Singapore/1.35/103.82/57@
TH Asia/Bangkok Bangkok/Bangkok/13.76/100.50/83@ Chiang Mai/Chiang Mai/18.79/98.98/2@ Phuket/Phuket/7.88/98.39/1@
VN Asia/Ho_Chi_Minh Hanoi/Hanoi/21.03/105.85/53@ Ho Chi Minh City/Ho Chi Minh City/10.82/106.63/90@
PH Asia/Manila Manila/Metro Manila/14.60/120.98/18@ Cebu City/Central Visayas/10.32/123.89/9@
JP Asia/Tokyo Tokyo/Tokyo/35.68/139.69/140@ Yokohama/Kanagawa/35.44/139.64/37@ Osaka/Osaka/34.69/135.50/27@ Fukuoka/Fukuoka/33.59/130.40/16@
KR Asia/Seoul Seoul/Seoul/37.57/126.98/97@ Busan/Busan/35.18/129.08/34@
AU Australia/Sydney Sydney/New South Wales/-33.87/151.21/53@ Melbourne/Victoria/-37.81/144.96/51@Australia/Melbourne \
Brisbane/Queensland/-27.47/153.03/25@Australia/Brisbane Perth/Western Australia/-31.95/115.86/21@Australia/Perth
NZ Pacific/Auckland Auckland/Auckland/-36.85/174.76/16@ Wellington/Wellington/-41.29/174.78/4@
RU Europe/Moscow Moscow/Moscow/55.76/37.62/125@ Saint Petersburg/Saint Petersburg/59.93/30.34/54@ Yekaterinburg/Sverdlovsk/56.84/60.61/15@Asia/Yekaterinburg
CN Asia/Shanghai Beijing/Beijing/39.90/116.41/218@ Shanghai/Shanghai/31.23/121.47/248@ Shenzhen/Guangdong/22.54/114.06/175@
HK Asia/Hong_Kong Hong Kong/Hong Kong/22.32/114.17/74@
"""


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
    """The atlas, read from the table above."""
    rows: list[tuple[str, str, str, str, float, float, float]] = []
    for line in _CITIES.replace("\\\n", "").strip().splitlines():
        country, zone, rest = line.split(" ", 2)
        for city, own_zone in _cities(rest):
            name, region, latitude, longitude, weight = city.split("/")
            rows.append((name, region, country, own_zone or zone, float(latitude), float(longitude), float(weight)))
    name_, region_, country_, zone_, latitude_, longitude_, weight_ = zip(*rows, strict=True)
    lat, lon = np.array(latitude_), np.array(longitude_)
    words = [np.array(column, dtype=object) for column in (name_, region_, country_, zone_)]
    return Atlas(words[0], words[1], words[2], words[3], lat, lon, np.array(weight_), distances(lat, lon))


def _cities(text: str) -> list[tuple[str, str]]:
    """``A/R/1/2/3@Zone B/R/1/2/3@`` → [(``A/R/1/2/3``, ``Zone``), (``B/R/1/2/3``, ``''``)]."""
    found = []
    while text.strip():
        city, _, text = text.strip().partition("@")
        zone, _, text = text.partition(" ")
        found.append((city, zone))
    return found
