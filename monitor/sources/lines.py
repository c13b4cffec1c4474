"""Lines of text out of any bytes: compressed, truncated, binary or endless."""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase, BufferedReader
from typing import NamedTuple

MAX_LINE = 2**20  # bytes; no login record is longer
_BLOCK = 2**18  # bytes read at once

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
_GZIP = b"\x1f\x8b"


class UnreadableInputError(Exception):
    """A compressed input that is broken or ends early."""


class Line(NamedTuple):
    """One line without its end. `problem` says why it is no usable text; empty if it is."""

    number: int
    text: str
    problem: str = ""


def decompressed(stream: BufferedReader) -> BufferedIOBase:
    """The stream itself, or what it holds if it is gzip: told by its first bytes, so it works for stdin too."""
    return gzip.open(stream) if stream.peek(2)[:2] == _GZIP else stream


def lines(stream: BufferedIOBase) -> Iterator[Line]:
    """The lines that are not blank, numbered from 1. Of a line longer than `MAX_LINE` only the beginning is held."""
    number, rest = 1, b""
    try:
        for block in blocks(stream):
            *complete, rest = (rest + block).split(b"\n")
            rest = rest[: MAX_LINE + 1]
            yield from _decoded(number, complete)
            number += len(complete)
    except UnreadableInputError as reason:
        yield Line(number, "", str(reason))
        return
    yield from _decoded(number, [rest])


def blocks(stream: BufferedIOBase) -> Iterator[bytes]:
    """The bytes of the stream; ``UnreadableInputError`` where it is compressed and breaks off."""
    try:
        while block := stream.read1(_BLOCK):
            yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableInputError(f"the rest of the compressed input cannot be read: {error}") from None


def _decoded(first: int, raw: list[bytes]) -> Iterator[Line]:
    """Lines from `first` on, decoded together if nothing is wrong with them."""
    if first == 1 and raw:
        raw = [raw[0].removeprefix(_BOM), *raw[1:]]
    try:
        if any(len(line) > MAX_LINE for line in raw):
            raise ValueError
        texts = b"\n".join(raw).decode().split("\n") if raw else []
        found = [Line(number, text.rstrip("\r")) for number, text in enumerate(texts, first)]
    except ValueError:
        found = [_decode(number, line) for number, line in enumerate(raw, first)]
    for line in found:
        if line.problem or line.text.strip():
            yield line


def _decode(number: int, raw: bytes) -> Line:
    if len(raw) > MAX_LINE:
        return Line(number, raw[:1000].decode(errors="backslashreplace"), f"is longer than {MAX_LINE:,} bytes")
    try:
        return Line(number, raw.decode().rstrip("\r"))
    except UnicodeDecodeError:
        return Line(number, raw[:1000].decode(errors="backslashreplace"), "is not UTF-8 text")
