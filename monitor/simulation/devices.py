"""What people log in with: kinds of device, the programs on them, and the user agents those send over time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.simulation.columns import Register, mix

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_VERSION = "Chrome/{chrome}.0.0.0"
_CHROME = f"{_WEBKIT} {_VERSION}"
_SAMSUNG = f"SamsungBrowser/{{samsung}}.0 {_VERSION}"
_GECKO = "rv:{firefox}.0) Gecko/20100101 Firefox/{firefox}.0"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {ios_} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_ANDROID = "Mozilla/5.0 (Linux; Android {android}; {model})"


@dataclass(frozen=True)
class Program:
    """A browser, app or library on one operating system; ``text`` is its user agent with versions left open."""

    name: str
    text: str
    laptop: float = 0.0  # share among laptops and desktops
    phone: float = 0.0


PROGRAMS = (
    Program("chrome windows", f"{_WINDOWS} {_CHROME} Safari/537.36", laptop=0.40),
    Program("edge windows", f"{_WINDOWS} {_CHROME} Safari/537.36 Edg/{{chrome}}.0.0.0", laptop=0.20),
    Program("firefox windows", f"{_WINDOWS[:-1]}; {_GECKO}", laptop=0.08),
    Program("chrome mac", f"{_MAC} {_CHROME} Safari/537.36", laptop=0.14),
    Program(
        "safari mac", f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{{ios}} Safari/605.1.15", laptop=0.10
    ),
    Program("firefox linux", f"{_LINUX[:-1]}; {_GECKO}", laptop=0.04),
    Program("chrome linux", f"{_LINUX} {_CHROME} Safari/537.36", laptop=0.04),
    Program("safari iphone", f"{_IPHONE} Version/{{ios}} Mobile/15E148 Safari/604.1", phone=0.34),
    Program(
        "chrome iphone", f"{_IPHONE} CriOS/{{chrome}}.0.{{build}}.{{patch}} Mobile/15E148 Safari/604.1", phone=0.08
    ),
    Program("chrome android", f"{_ANDROID} {_CHROME} Mobile Safari/537.36", phone=0.28),
    Program(
        "samsung android",
        f"{_ANDROID} {_WEBKIT} {_SAMSUNG} Mobile Safari/537.36",
        phone=0.07,
    ),
    Program("app iphone", "Portal/{app} (iPhone; iOS {ios}; Scale/3.00)", phone=0.13),
    Program("app android", "Portal/{app} (Linux; U; Android {android}; {model}) okhttp/4.12.0", phone=0.10),
    Program("python", "python-requests/2.{requests}.0"),
    Program("curl", "curl/8.{curl}.0"),
    Program("go", "Go-http-client/2.0"),
    Program("java", "Apache-HttpClient/4.5.{curl} (Java/17.0.{curl})"),
)
PROGRAM = {program.name: code for code, program in enumerate(PROGRAMS)}
LAPTOP_SHARES = np.array([program.laptop for program in PROGRAMS])
PHONE_SHARES = np.array([program.phone for program in PROGRAMS])
_MODELS = (
    "K",
    "K",
    "K",
    "Pixel 7",
    "Pixel 8",
    "SM-S911B",
    "SM-A546B",
    "SM-G991U",
    "M2101K6G",
    "CPH2449",
    "moto g84 5G",
)

LAPTOP, PHONE, SHARED, MACHINE = range(4)
ALWAYS, RENEWED, NEVER = range(3)  # how a device shows its id


def device_register() -> Register:
    """What is known of a device: its program, how late it updates, how it shows its id, which columns it hides."""
    return Register(
        kind=np.int8(LAPTOP), program=np.int8(0), lag_days=np.float32(0.0), epoch=np.int8(0), identity=np.int8(ALWAYS),
        renewal_days=np.float32(1e6), private=np.float32(0.0), key=np.int64(0), silent=np.False_, no_rtt=np.False_,
    )  # fmt: skip


def add_devices(
    devices: Register,
    rng: np.random.Generator,
    kind: int,
    count: int,
    careless: float,
    program: NDArray[np.int64] | None = None,
) -> NDArray[np.int32]:
    """``count`` devices; ``careless`` is the share whose id is renewed or missing."""
    if program is None:
        shares = PHONE_SHARES if kind == PHONE else LAPTOP_SHARES
        program = rng.choice(len(PROGRAMS), size=count, p=shares / shares.sum())
    identity = rng.choice([ALWAYS, RENEWED, NEVER], size=count, p=[1 - careless, 0.55 * careless, 0.45 * careless])
    return devices.add(
        count, kind=kind, program=program, lag_days=rng.gamma(1.2, 5.0, count), epoch=rng.integers(0, 3, count),
        identity=identity, renewal_days=rng.uniform(4, 40, count), key=rng.integers(1 << 60, size=count),
        private=np.where(rng.random(count) < 0.2, rng.uniform(0.02, 0.2, count), 0.0),
        silent=rng.random(count) < 0.01, no_rtt=rng.random(count) < 0.08,
    )  # fmt: skip


def versions(day: date, epoch: int) -> dict[str, str]:
    """Version numbers in the field on ``day``: browsers move every four weeks, phone systems every six."""
    weeks4 = (day - date(2023, 1, 10)).days // 28
    weeks6 = (day - date(2023, 9, 19)).days // 42
    ios_major, ios_minor = 17 + weeks6 // 9, weeks6 % 9
    return {
        "chrome": str(109 + weeks4), "firefox": str(109 + weeks4), "samsung": str(20 + weeks4 // 4),
        "build": str(5414 + 71 * weeks4), "patch": str(60 + epoch), "ios": f"{ios_major}.{ios_minor}",
        "ios_": f"{ios_major}_{ios_minor}", "android": str(12 + weeks4 // 13 - epoch % 2 + epoch // 2),
        "app": f"{5 + weeks4 // 10}.{weeks4 % 10}.{epoch}", "requests": str(28 + max(0, weeks4) // 9),
        "curl": str(1 + max(0, weeks4) // 4),
    }  # fmt: skip


def version_steps(
    devices: Register, device: NDArray[np.int32], seconds: NDArray[np.float64], start: datetime
) -> NDArray[np.int64]:
    """Which release a device runs at each login, as a count of its own update steps; changes where its agent may."""
    since = (start.date() - date(2023, 1, 10)).days
    fixed = devices["kind"][device] == MACHINE  # servers are upgraded by people, rarely
    day = np.where(fixed, since, since + seconds / 86_400 - devices["lag_days"][device])
    return (day // 14).astype(np.int64)  # both rhythms are multiples of a fortnight


def user_agents(devices: Register, device: NDArray[np.int32], steps: NDArray[np.int64]) -> NDArray[np.object_]:
    """The user agent each login shows; devices that hide it give None."""
    program, epoch = devices["program"][device], devices["epoch"][device]
    model = (mix(devices["key"][device], 5) % np.uint64(len(_MODELS))).astype(np.int64)
    codes = ((steps * 8 + epoch) * len(PROGRAMS) + program) * len(_MODELS) + model
    unique, back = np.unique(codes, return_inverse=True)
    texts = []
    for code in unique.tolist():
        rest, which_model = divmod(code, len(_MODELS))
        rest, which = divmod(rest, len(PROGRAMS))
        step, generation = divmod(rest, 8)
        day = date(2023, 1, 10) + timedelta(days=14 * step)
        texts.append(PROGRAMS[which].text.format(model=_MODELS[which_model], **versions(day, generation)))
    agents = np.array(texts, dtype=object)[back]
    agents[devices["silent"][device]] = None
    return agents


def device_ids(
    devices: Register, device: NDArray[np.int32], seconds: NDArray[np.float64], draw: NDArray[np.float64]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Device ids as logins show them (None: hidden), and the renewal they belong to."""
    identity = devices["identity"][device]
    phase = (devices["key"][device] % 1000) / 1000
    turns = np.floor(seconds / 86_400 / devices["renewal_days"][device] + phase)
    turn = np.where(identity == RENEWED, turns, 0).astype(np.int64)
    unique, back = np.unique(mix(devices["key"][device], turn), return_inverse=True)
    ids = np.array([f"{value:016x}" for value in unique.tolist()], dtype=object)[back]
    ids[(identity == NEVER) | (draw < devices["private"][device])] = None
    return ids, turn
