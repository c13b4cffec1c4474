"""What every file format promises, whatever the bytes. A new source is tested here by its line in the registry."""

import gzip
import io
import os
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.events import CANONICAL_COLUMNS
from monitor.sources import REGISTRY, Options, RawChunk, base, decompressed

OPTIONS = Options(year=2024)
GZIPPED = gzip.compress(b"occurred_at,user\n" + b"2024-01-01T00:00:00Z,ana\n" * 1000)

every_format = pytest.mark.parametrize("name", REGISTRY)


def chunks(name: str, data: bytes) -> list[RawChunk]:
    return list(REGISTRY[name](decompressed(io.BufferedReader(io.BytesIO(data))), OPTIONS))


def rejects(parts: Iterable[RawChunk]) -> pd.DataFrame:
    return pd.concat([part.rejects for part in parts], ignore_index=True)


@every_format
def test_its_help_is_its_first_line(name: str) -> None:
    assert REGISTRY[name].__doc__


@every_format
def test_an_empty_input_has_no_records(name: str) -> None:
    for data in (b"", b"\n\r\n  \n", b"\xef\xbb\xbf"):
        assert sum(part.read for part in chunks(name, data)) == 0


@every_format
@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_read_without_an_error_and_the_same_way_each_time(name: str, data: bytes) -> None:
    first, second = chunks(name, data), chunks(name, data)
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one.records, other.records)
        pd.testing.assert_frame_equal(one.rejects, other.rejects)
        assert set(one.records) <= {*CANONICAL_COLUMNS, "line", "record"}
        assert one.rejects["reason"].str.len().gt(0).all()


@every_format
def test_a_binary_file_is_rejected_with_line_numbers_and_reasons(name: str) -> None:
    found = rejects(chunks(name, Path("/bin/sh").resolve().read_bytes()))
    assert len(found)
    assert found["line"].is_monotonic_increasing
    assert found["record"].map(str.isprintable).all()


@every_format
def test_a_compressed_file_that_ends_early_gives_what_came_before_and_says_so(name: str) -> None:
    assert "cannot be read" in rejects(chunks(name, GZIPPED[:-12]))["reason"].iloc[-1] or name == "rba"
    chunks(name, GZIPPED[:20] + b"broken" + GZIPPED[26:])


class _Endless(io.RawIOBase):
    """A line of 200 MB."""

    def __init__(self) -> None:
        self.left = 200 * 2**20

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        size = min(len(buffer), self.left)
        buffer[:size] = bytes(size)
        self.left -= size
        return size


@every_format
def test_a_line_without_end_is_one_reject_and_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    found = rejects(REGISTRY[name](io.BufferedReader(_Endless()), OPTIONS))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found["line"].tolist() == [1]
    assert "longer than" in found["reason"][0]
    assert peak < 20 * 2**20


@every_format
def test_chunks_stay_small_however_many_records_there_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "CHUNK_RECORDS", 100)
    parts = chunks(
        name,
        b"occurred_at,user,login timestamp,user id,login successful\n"
        + os.urandom(4).hex().encode()
        + b"\n"
        + b"x,y,z,a,b\n" * 5000,
    )
    assert all(part.read <= 100 + 1000 for part in parts)
    assert sum(part.read for part in parts) >= 5000
