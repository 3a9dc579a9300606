"""HTTP/1.1 without I/O: the bytes of a request, and an answer that is read as it arrives.

It is the little that DynamoDB needs of it: requests are POSTs whose length is known, and an answer is in memory as a
whole before anyone looks at it. What an answer says about itself is believed only where it is unmistakable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

MAX_HEAD: Final = 65_536
"""How long the head of an answer may be in bytes, and what follows the last chunk of one."""

_pattern = cache(re.compile)
"""Compiles a pattern when it is first used: together they take longer than all else that is done at the import."""

_LENGTH: Final = r"[0-9]{1,15}"
_CHUNK: Final = rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?"
_STATUS: Final = r"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: .*)?"
_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE: Final = r"[^\x00-\x08\x0a-\x1f\x7f]*"


class BadAnswer(Exception):
    """What came is not an answer of HTTP/1.1, or not the whole of one."""


@dataclass(slots=True)  # not frozen, for one is made for every request
class Answer:
    """A whole answer.

    Attributes:
        status: the status code.
        headers: by their names in lower case; where one is repeated, its values are joined by commas.
        body: the body as it was received.
        keep_alive: whether the connection may carry another request.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


def head_of(path: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Give the beginning of a POST: its first line and these headers, without the empty line that ends a head.

    Raises:
        ValueError: a name or a value could be read as more than one header.
    """
    lines = [f"POST {path} HTTP/1.1\r\n"]
    for name, value in headers:
        if not _pattern(_NAME).fullmatch(name) or not _pattern(_VALUE).fullmatch(value):
            raise ValueError(f"the header {name!r} cannot be sent")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("utf-8")


class AnswerReader:
    """Reads one answer from bytes as they arrive.

    ``feed`` it until it gives the answer. Where the connection ends before, ``end`` tells whether that was its end.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_chunked",
        "_headers",
        "_keep_alive",
        "_missing",
        "_position",
        "_received",
        "_status",
    )

    def __init__(self) -> None:
        self._received = b""
        self._status = 0  # until the head is read
        self._headers: dict[str, str] = {}
        self._keep_alive = False
        self._chunked = False
        self._missing: int | None = None  # bytes of the body; None: up to the end of the connection
        self._body: list[bytes] = []
        self._buffer = bytearray()  # of a body in chunks: all that has arrived
        self._position = 0  # where in it the next chunk begins

    @property
    def begun(self) -> bool:
        """Whether anything of the answer has arrived."""
        return bool(self._status or self._received)

    def feed(self, data: bytes) -> Answer | None:
        """Take what has arrived; give the answer once it is whole.

        Args:
            data: at least a byte.

        Raises:
            BadAnswer: it is none.
        """
        if not self._status:
            rest = self._read_head(data)
            if rest is None:
                return None
            data = rest
        if self._chunked:
            return self._read_chunks(data)
        if self._missing is None:
            self._body.append(data)
            return None
        left = self._missing - len(data)
        if left > 0:
            self._missing = left
            self._body.append(data)
            return None
        if left < 0:  # something that nobody asked for, and that would be taken for the next answer
            self._keep_alive = False
            data = data[:left]
        return self._whole(data)

    def end(self) -> Answer:
        """Give the answer, where nothing more can arrive.

        Raises:
            BadAnswer: it is not whole.
        """
        if not self._status or self._chunked or self._missing is not None:
            raise BadAnswer("the connection was closed before the answer was whole")
        return self._whole(b"")

    def _whole(self, last: bytes) -> Answer:
        body = last
        if self._body:
            self._body.append(last)
            body = b"".join(self._body)
        return Answer(self._status, self._headers, body, self._keep_alive)

    def _read_head(self, data: bytes) -> bytes | None:
        """Read the head if it is whole, and give what follows it; answers of 1xx say that another one comes."""
        if self._received:
            data = self._received + data
        while True:
            length = data.find(b"\r\n\r\n")
            if length < 0 or length > MAX_HEAD:
                if len(data) > MAX_HEAD:
                    raise BadAnswer("the head of the answer is too long")
                self._received = data
                return None
            status, minor, headers = _parse_head(data[:length].decode("latin-1"))
            data = data[length + 4 :]
            if status >= 200:
                break
            if status == 101:
                raise BadAnswer("the answer speaks another protocol")
            if not data:
                self._received = b""
                return None
        self._received = b""
        self._status = status
        self._headers = headers
        self._understand(minor)
        return data

    def _understand(self, minor: int) -> None:
        """Find out where the body ends, and what comes of the connection."""
        headers = self._headers
        options = headers.get("connection", "").lower()
        self._keep_alive = "close" not in options and (minor >= 1 or "keep-alive" in options)
        if "content-encoding" in headers:
            raise BadAnswer("the body of the answer is encoded, which was not asked for")
        coding = headers.get("transfer-encoding")
        length = headers.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise BadAnswer("the length of the answer is told in a way that was not expected")
            self._chunked = True
        elif self._status in (204, 304):
            self._missing = 0
        elif length is not None:
            if not _pattern(_LENGTH).fullmatch(length):
                raise BadAnswer("the length of the answer is no number")
            self._missing = int(length)
        else:
            self._keep_alive = False

    def _read_chunks(self, data: bytes) -> Answer | None:
        """Read the chunks that are whole."""
        buffer = self._buffer
        buffer += data
        while True:
            line_end = buffer.find(b"\r\n", self._position)
            if line_end < 0:
                self._check_line()
                return None
            found = _pattern(_CHUNK).fullmatch(buffer, self._position, line_end)
            if found is None:
                raise BadAnswer("the length of a chunk of the answer is no number")
            size = int(found[1], 16)
            begin = line_end + 2
            if size == 0:
                return self._read_trailers(begin)
            end = begin + size
            if len(buffer) < end + 2:
                return None
            if buffer[end : end + 2] != b"\r\n":
                raise BadAnswer("a chunk of the answer is longer than it says")
            self._body.append(bytes(buffer[begin:end]))
            self._position = end + 2

    def _read_trailers(self, begin: int) -> Answer | None:
        """Skip what follows the last chunk, which ends with an empty line."""
        buffer = self._buffer
        end = begin + 2 if buffer.startswith(b"\r\n", begin) else buffer.find(b"\r\n\r\n", begin) + 4
        if end < 4:
            self._check_line()
            return None
        if len(buffer) > end:
            self._keep_alive = False
        return self._whole(b"")

    def _check_line(self) -> None:
        """Refuse a line that has not ended yet and is too long already."""
        if len(self._buffer) - self._position > MAX_HEAD:
            raise BadAnswer("a line of the answer is too long")


def _parse_head(text: str) -> tuple[int, int, dict[str, str]]:
    """Give the status, the minor version of HTTP, and the headers."""
    first, *lines = text.split("\r\n")
    found = _pattern(_STATUS).fullmatch(first)
    if found is None:
        raise BadAnswer("the answer is not one of HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name[0] in " \t" or name[-1] in " \t" or "\n" in line or "\r" in line:
            raise BadAnswer("a header of the answer is none")
        name = name.lower()
        value = value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return int(found[2]), int(found[1]), headers
