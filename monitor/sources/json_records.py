"""JSON objects out of any bytes: one a line, in an array, one after another, or wrapped in the pages of an API.

Of the input at most one record and a block are held, so a file of one endless line is read like any other. What is no
record is reported with its line, and reading resumes with the next.
"""

import codecs
import json
import re
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any, NamedTuple, TypeAlias

from monitor.sources.lines import MAX_LINE, UnreadableInputError, blocks

Record: TypeAlias = dict[str, Any]

NO_OBJECT = "is no JSON object"

_PAGE_KEYS = ("records", "value", "items", "data", "logs", "entries", "authlogs", "response", "hits")
_STRING = r'"(?>(?:[^"\\]|\\.)*)"'
_LIST = rf'"(?:{"|".join(_PAGE_KEYS)}|events)"\s*:\s*\['  # no single record of an input is called events
_PAGE = re.compile(_LIST, re.IGNORECASE)
# How a wrapper begins: plain members, or the beginning of a wrapper within.
_PAGE_BEGINS = re.compile(
    rf"\{{\s*(?:{_STRING}\s*:\s*(?:(?:{_STRING}|[-+.\w]+|\{{[^{{}}]*\}})\s*,|\{{)\s*)*{_LIST}", re.IGNORECASE
)
_BETWEEN = re.compile(r"[\s,\[\]\x1e\ufeff]*")  # RFC 7464 separates by \x1e; concatenated files each bring a BOM
_BETWEEN_IN_PAGE = re.compile(r"[\s,\[\]}\x1e\ufeff]*")
_MEMBER = re.compile(rf"{_STRING}\s*:\s*")
_LINE_END = re.compile(r"\n")
_NEXT_OBJECT = re.compile(r"\n|(?<=\}),\s*(?=\{)")  # on a line that holds several
_NO_TEXT = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes that are no UTF-8
_TOO_LONG = f"is longer than {MAX_LINE:,} characters"
_SHOWN = 1000  # characters of what is too long
_CUT_SHORT = 10  # characters of a literal or an escape that the end of what was read may cut through


class JsonRecord(NamedTuple):
    """One object: its first `line`, its `text`, and its `value` with keys in lower case; numbers are kept as texts.

    Without a value, `problem` says why, and `text` is the line.
    """

    line: int
    text: str
    value: Record | None
    problem: str = ""


def json_records(stream: BufferedIOBase) -> Iterator[JsonRecord]:
    """The objects in a stream: JSON lines, arrays, pages such as ``{"Records": [...]}``, and all of that mixed."""
    reader = _Reader(stream)
    while reader.skip():
        found = reader.record()
        if found:
            yield found
    if reader.failure:
        yield JsonRecord(reader.line, "", None, reader.failure)


class _NoJsonError(ValueError):
    """Why a text is no JSON value, or none that may be read at once."""

    def __init__(self, reason: str, too_long: bool = False) -> None:
        super().__init__(reason)
        self.too_long = too_long


class _Reader:
    """A place in a text that is read on as needed."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self.line = 1
        self.failure = ""  # why the input ended early
        self._texts = _texts(stream)
        self._text, self._at = "", 0
        self._ended = False
        self._pages = 0  # how many wrappers were entered

    def skip(self) -> bool:
        """Move on to the next character that separates nothing; whether there is one."""
        while True:
            between = (_BETWEEN_IN_PAGE if self._pages else _BETWEEN).match(self._text, self._at)
            self._move(between.end() if between else self._at)
            if self._at < len(self._text):
                return True
            if not self._read_on():
                return False

    def record(self) -> JsonRecord | None:
        """The record that begins here, or why there is none; None for the parts of a wrapper."""
        if self._text[self._at] != "{":
            return None if self._pages and self._member() else self._bad(NO_OBJECT, _LINE_END)
        try:
            value, text = self._decoded()
        except _NoJsonError as reason:
            return None if self._enters_page(reason) else self._broken(reason)
        if _is_page(value) and (begin := _PAGE.search(text)):
            self._enter_page(self._at + begin.end())
            return None
        line = self.line
        self._move(self._at + len(text))
        if len(text) > MAX_LINE:
            return JsonRecord(line, text[:_SHOWN], None, _TOO_LONG)
        if not text.isascii() and _NO_TEXT.search(text):
            return JsonRecord(line, text, None, "is not UTF-8 text")
        return JsonRecord(line, text, value)

    def _decoded(self) -> tuple[Any, str]:
        """The JSON value that begins here, and its text."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                return value, self._text[self._at : end]
            except json.JSONDecodeError as error:
                reason = f"is no JSON: {error.msg} at character {error.pos - self._at + 1}"
                cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _CUT_SHORT
                if cut and len(self._text) - self._at > MAX_LINE:
                    raise _NoJsonError(_TOO_LONG, too_long=True) from None
                if not (cut and self._read_on()):
                    raise _NoJsonError(reason) from None
            except RecursionError:
                raise _NoJsonError("is no JSON: nested too deeply") from None

    def _enters_page(self, reason: "_NoJsonError") -> bool:
        """Enter what begins here if it is a wrapper, though too long, or broken in one of its records."""
        if reason.too_long:
            begin = _PAGE.search(self._text, self._at, self._at + MAX_LINE)
        else:
            begin = _PAGE_BEGINS.match(self._text, self._at)
        if begin:
            self._enter_page(begin.end())
        return bool(begin)

    def _enter_page(self, at: int) -> None:
        self._pages += 1
        self._move(at)

    def _member(self) -> bool:
        """Leave out a member of a wrapper that stands behind its records; whether there was one."""
        name = _MEMBER.match(self._text, self._at)
        if not name:
            return False
        self._move(name.end())
        try:
            self._move(self._at + len(self._decoded()[1]))
        except _NoJsonError:
            return False
        return True

    def _broken(self, reason: "_NoJsonError") -> JsonRecord:
        """Reject the object that begins here; if it spans lines, with all of them."""
        before = self._text[self._text.rfind("\n", 0, self._at) + 1 : self._at]
        bad = self._bad(str(reason), _NEXT_OBJECT if before.strip() else _LINE_END)
        while (line := self._next_line()) is not None:
            indent = len(line) - len(line.lstrip(" \t"))
            closes = indent == len(before) and line[indent:].startswith("}")
            if not closes and (indent <= len(before) or not line.strip()):
                break
            self._move(self._at + 1 + len(line))
            if closes:
                break
        return bad

    def _bad(self, problem: str, until: re.Pattern[str]) -> JsonRecord:
        """Reject what comes before `until`, however long it is."""
        line, kept, size = self.line, "", 0
        while not until.search(self._text, self._at):
            if len(self._text) - self._at > MAX_LINE:
                kept, size = kept or self._text[self._at : self._at + _SHOWN], size + len(self._text) - self._at
                self._move(len(self._text))
            if not self._read_on():
                break
        end = until.search(self._text, self._at)
        to = end.start() if end else len(self._text)
        kept, size = kept or self._text[self._at : to], size + to - self._at
        self._move(to)
        if size > MAX_LINE:
            kept, problem = kept[:_SHOWN], _TOO_LONG
        return JsonRecord(line, kept.rstrip("\r"), None, problem)

    def _next_line(self) -> str | None:
        """The line behind the line end that stands here, if any."""
        if not self._text.startswith("\n", self._at):
            return None
        while (end := self._text.find("\n", self._at + 1)) < 0:
            if len(self._text) - self._at > MAX_LINE or not self._read_on():
                return self._text[self._at + 1 :]
        return self._text[self._at + 1 : end]

    def _move(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _read_on(self) -> bool:
        """Read about as much again as is left; whether there was more. What lies behind is dropped."""
        kept = max(self._text.rfind("\n", 0, self._at), self._at - 200, 0)
        self._text, self._at = self._text[kept:], self._at - kept
        wanted, parts, size = len(self._text), [self._text], 0
        while not self._ended and size <= wanted:
            try:
                parts.append(next(self._texts))
                size += len(parts[-1])
            except (StopIteration, UnreadableInputError) as end:
                self._ended, self.failure = True, str(end) if isinstance(end, UnreadableInputError) else ""
        self._text = "".join(parts)
        return size > 0


def _texts(stream: BufferedIOBase) -> Iterator[str]:
    """The stream as text: UTF-8, or UTF-16 if it begins with its byte order mark (what PowerShell's `>` writes)."""
    decoder: codecs.IncrementalDecoder | None = None
    for block in blocks(stream):
        if decoder is None:
            wide = block[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")(
                errors="replace" if wide else "surrogateescape"
            )
        yield decoder.decode(block)
    if decoder is not None:
        yield decoder.decode(b"", final=True)


def _lowered(pairs: list[tuple[str, Any]]) -> Record:
    return {name.lower(): value for name, value in pairs}


#: Numbers stay as they are written: 59.90 and a user called 007.
_DECODER = json.JSONDecoder(object_pairs_hook=_lowered, parse_float=str, parse_int=str, parse_constant=str)


def parsed(text: object) -> object:
    """What a text that is JSON says, as records hold it; anything else as it is."""
    if isinstance(text, str) and text.lstrip()[:1] in ("{", "["):
        try:
            return _DECODER.decode(text)
        except (ValueError, RecursionError):
            return text
    return text


def _is_page(value: Record) -> bool:
    """Whether an object wraps records: it has a list of objects under one of the names that APIs use."""
    for name in _PAGE_KEYS:
        inside = value.get(name)
        if isinstance(inside, list) and all(isinstance(item, dict) for item in inside):
            return True
        if name in ("response", "hits") and isinstance(inside, dict) and _is_page(inside):
            return True
    return False
