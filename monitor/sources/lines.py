"""Lines of text out of any bytes: compressed, truncated, binary or endless."""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from typing import BinaryIO, NamedTuple, cast

MAX_LINE = 2**20  # bytes; no login record is longer, and what is read at once bounds memory

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_GZIP = b"\x1f\x8b"


class Line(NamedTuple):
    """One line without its end. `problem` says why it is no usable text; empty if it is."""

    number: int
    text: str
    problem: str = ""


def decompressed(stream: BufferedReader) -> BinaryIO:
    """The stream itself, or what it holds if it is gzip: told by its first bytes, so it works for stdin too."""
    return cast(BinaryIO, gzip.open(stream)) if stream.peek(2)[:2] == _GZIP else stream


def lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines that are not blank, numbered from 1; at most `MAX_LINE` bytes of a line are held."""
    number = 0
    while True:
        number += 1
        try:
            raw = stream.readline(MAX_LINE + 1)
            if len(raw) > MAX_LINE:
                _skip_rest(stream, raw)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            yield Line(number, "", f"the rest of the compressed input cannot be read: {error}")
            return
        if not raw:
            return
        line = _decode(number, raw)
        if line.problem or line.text.strip():
            yield line


def _skip_rest(stream: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(MAX_LINE)


def _decode(number: int, raw: bytes) -> Line:
    if len(raw) > MAX_LINE:
        return Line(number, raw[:1000].decode(errors="backslashreplace"), f"is longer than {MAX_LINE:,} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Line(number, raw[:1000].decode(errors="backslashreplace"), "is not UTF-8 text")
    text = text.rstrip("\r\n")
    return Line(number, text.removeprefix(_BOM) if number == 1 else text)
