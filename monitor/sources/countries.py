"""Countries by their names: what providers write instead of codes."""

from functools import lru_cache

import pycountry

from monitor.fields import COUNTRIES

# How MaxMind, Okta and Duo call countries that ISO 3166-1, as pycountry knows it, calls otherwise.
# fmt: off
_ALSO_CALLED = {
    "bonaire, sint eustatius, and saba": "BQ", "bonaire": "BQ", "brunei": "BN", "burma": "MM", "cape verde": "CV",
    "caribbean netherlands": "BQ", "congo republic": "CG", "cote d'ivoire": "CI", "curacao": "CW", "dr congo": "CD",
    "east timor": "TL", "falkland islands": "FK", "fyro macedonia": "MK", "great britain": "GB", "ivory coast": "CI",
    "korea": "KR", "kosovo": "XK", "macau": "MO", "macedonia": "MK", "micronesia": "FM", "palestine": "PS",
    "palestinian territory": "PS", "pitcairn islands": "PN", "republic of korea": "KR", "republic of the congo": "CG",
    "democratic republic of the congo": "CD", "reunion": "RE", "russia": "RU", "saint helena": "SH",
    "saint martin": "MF", "sao tome and principe": "ST", "sint maarten": "SX", "st helena": "SH",
    "st kitts and nevis": "KN", "st lucia": "LC", "st martin": "MF", "st vincent and grenadines": "VC",
    "st vincent and the grenadines": "VC", "swaziland": "SZ", "são tomé and príncipe": "ST", "the bahamas": "BS",
    "the gambia": "GM", "the netherlands": "NL", "turkey": "TR", "u.s. virgin islands": "VI", "uk": "GB",
    "u.s. outlying islands": "UM", "vatican": "VA", "vatican city": "VA",
}
# fmt: on


@lru_cache(maxsize=10_000)
def country_code(text: str) -> str:
    """ISO 3166-1 alpha-2 of a code of two or three letters or an English name; what is none of them comes back."""
    name = text.strip()
    if name.isascii() and name.upper() in COUNTRIES:
        return name.upper()
    if name.lower() in _ALSO_CALLED:
        return _ALSO_CALLED[name.lower()]
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return name
