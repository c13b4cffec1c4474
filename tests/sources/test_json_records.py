"""JSON objects out of files, pages and garbage."""

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.sources import decompressed
from monitor.sources.json_records import JsonRecord, json_records, parsed
from monitor.sources.lines import MAX_LINE

A, B, C = '{"id": "a"}', '{"id": "b"}', '{"id": "c"}'


class Dripping(io.RawIOBase):
    """A stream that gives its bytes in pieces of a certain size."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        piece, self._data = self._data[: self._size], self._data[self._size :]
        buffer[: len(piece)] = piece
        return len(piece)


def read(data: str | bytes, size: int = 2**18) -> list[JsonRecord]:
    raw = data.encode() if isinstance(data, str) else data
    return list(json_records(io.BufferedReader(Dripping(raw, size), buffer_size=max(size, 1))))


def ids(found: list[JsonRecord]) -> list[str]:
    return [record.value["id"] if record.value and "id" in record.value else record.problem for record in found]


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\n{B}\n{C}\n",
        f"{A}\r\n\r\n{B}\r\n{C}",
        f"\ufeff{A}\n\ufeff{B}\n{C}",
        f"[{A}, {B}, {C}]",
        f"[\n  {A},\n  {B},\n  {C}\n]\n",
        f"{A}{B}{C}",
        f"\x1e{A}\n\x1e{B}\n\x1e{C}\n",
        f'{{"Records": [{A}, {B}, {C}]}}',
        f'{{"@odata.context": "x[{{", "value": [{A}, {B}, {C}], "@odata.nextLink": "y]}}"}}',
        f'{{"kind": "k", "items": [{A}, {B}], "nextPageToken": "t"}}\n{{"items": [{C}]}}',
        f'{{"stat": "OK", "response": {{"authlogs": [{A}, {B}, {C}], "metadata": {{"next_offset": ["1", "2"]}}}}}}',
        f'{{"hits": {{"total": {{"value": 3}}, "hits": [{A}, {B}, {C}]}}}}',
        json.dumps({"meta": {"n": 1}, "value": [json.loads(each) for each in (A, B, C)]}, indent=2),
        f'{{"data": [], "x": {{}}}}{{"records": [{A}]}}{B}\n{C}',
    ],
)
def test_however_records_are_put_together_each_is_found(text: str) -> None:
    assert ids(read(text)) == ["a", "b", "c"]
    for encoding in ("utf-16", "utf-8-sig"):
        assert ids(read(text.encode(encoding))) == ["a", "b", "c"]
    packed = io.BufferedReader(io.BytesIO(gzip.compress(text.encode())))
    assert ids(list(json_records(decompressed(packed)))) == ["a", "b", "c"]


def test_a_record_is_found_with_its_line_its_text_its_keys_in_lower_case_and_its_numbers_as_written() -> None:
    found = read('\n[{"User": 007e1,\n "n": 59.90}, {"Deep": {"Key": null}}]'.replace("007e1", "7"))
    assert found[0] == JsonRecord(2, '{"User": 7,\n "n": 59.90}', {"user": "7", "n": "59.90"})
    assert found[1][:3] == (3, '{"Deep": {"Key": null}}', {"deep": {"key": None}})


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("nonsense", "is no JSON object"),
        ("17", "is no JSON object"),
        ('{"id": "x"', "is no JSON: Expecting ',' delimiter at character 12"),
        ('{"id": "x}', "is no JSON: Invalid control character at at character 11"),
        ('{"id": }', "is no JSON: Expecting value at character 8"),
        ('{"a": [' + "[" * 100_000, "is no JSON: nested too deeply"),
        ('{"id": "' + "x" * MAX_LINE + '"}', "is longer than 1,048,576 characters"),
        ("x" * (MAX_LINE + 1), "is longer than 1,048,576 characters"),
        (b'{"id": "Andr\xe9"}', "is not UTF-8 text"),
        ('{\n    "id": "x",\n    "more": {\n      "y": 1\n    },\n    oops\n}', "is no JSON: Expecting property name"),
    ],
)
@pytest.mark.parametrize("size", [61, 2**18])
def test_what_is_broken_costs_no_other_record(bad: str | bytes, problem: str, size: int) -> None:
    raw = bad.encode() if isinstance(bad, str) else bad
    found = read(f"{A}\n".encode() + raw + f"\n{B}\n{C}".encode(), size)
    assert [found[0].value, *(record.value for record in found[2:])] == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert found[1].problem.startswith(problem)
    assert found[1].line == 2
    assert len(found[1].text) <= 1000 or problem.startswith("is no JSON")


def test_a_broken_record_on_a_line_of_many_costs_itself_only() -> None:
    page = f'{{"Records": [{A}, {{"id": oops, "n": 1}}, {B}, {C}], "next": 1}}\n'
    assert ids(read(page)) == ["a", "is no JSON: Expecting value at character 8", "b", "c"]
    assert ids(read(f'[{A}, {{"id": oops}}, {B}, {C}]'))[2:] == ["b", "c"]


def test_a_page_that_was_cut_off_gives_what_came_before() -> None:
    found = read(f'{{"nextToken": "x", "Records": [{A}, {B}, {{"id": "c')
    assert ids(found)[:2] == ["a", "b"]
    assert len(found) == 3
    assert found[2].problem.startswith("is no JSON")


def test_a_compressed_input_that_ends_early_gives_what_came_before_and_says_so() -> None:
    packed = gzip.compress(f"{A}\n".encode() * 5_000)[:-30]
    found = list(json_records(decompressed(io.BufferedReader(io.BytesIO(packed)))))
    assert "cannot be read" in found[-1].problem
    assert {record.value["id"] for record in found if record.value} == {"a"}


class _OneLine(io.RawIOBase):
    """Pieces one after another, without a line end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        piece = next(self._pieces, b"")
        buffer[: len(piece)] = piece
        return len(piece)


def test_a_page_of_many_megabytes_on_one_line_is_read_in_little_memory() -> None:
    record = json.dumps({"id": "x", "text": "y" * 4000}).encode()

    def pieces() -> Iterator[bytes]:
        yield b'{"token": "t", "Records": ['
        for _ in range(7_000):
            yield record + b", "
        yield b'{"id": "last"}], "more": {"count": [1, 2]}}'

    tracemalloc.start()
    count, last = 0, None
    for found in json_records(io.BufferedReader(_OneLine(pieces()))):
        count, last = count + 1, found.value
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, last) == (7_001, {"id": "last"})
    assert peak < 20 * 2**20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from(["id", "user", "x"]), JSON, max_size=3), max_size=4)
FRAMES = st.sampled_from(["lines", "array", "pretty", "page", "joined"])


def framed(objects: list[dict[str, object]], frame: str) -> str:
    texts = [json.dumps(each, ensure_ascii=False) for each in objects]
    return {
        "lines": "\n".join(texts),
        "array": json.dumps(objects, ensure_ascii=False),
        "pretty": json.dumps(objects, ensure_ascii=False, indent=2),
        "page": f'{{"Records": [{", ".join(texts)}], "next": null}}',
        "joined": "".join(texts),
    }[frame]


@settings(max_examples=150, deadline=None)
@given(objects=OBJECTS, frame=FRAMES, size=st.integers(1, 40))
def test_whatever_the_objects_and_however_they_arrive_they_come_back(
    objects: list[dict[str, object]], frame: str, size: int
) -> None:
    found = read(framed(objects, frame).encode(), size)
    assert len(found) == len(objects)
    assert all(record.value is not None for record in found)


@settings(max_examples=300, deadline=None)
@given(
    data=st.binary(max_size=120) | st.text(alphabet='{}[]",:ax1\\ \n', max_size=120).map(str.encode),
    size=st.integers(1, 30),
)
@example(data=b'{"a":1}{"b"', size=3)
@example(data=b'x{"a":1},{"b":1}\n{"c":2}', size=5)
def test_any_bytes_are_read_the_same_however_they_arrive(data: bytes, size: int) -> None:
    assert read(data, size) == read(data)


def test_text_that_is_no_json_stays_text() -> None:
    assert parsed('{"A": 1.50}') == {"a": "1.50"}
    assert [parsed(text) for text in ("plain", "{broken", "[" * 100_000, None, 3)] == [
        "plain",
        "{broken",
        "[" * 100_000,
        None,
        3,
    ]
