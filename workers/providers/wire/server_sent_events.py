"""Server-sent events, parsed as the bytes come in, whatever the chunks they come in."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.errors import ForebayError

DEFAULT_EVENT_LIMIT_BYTES = 1_048_576

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STARTS_WHOLE_BODY: Final = (b"{", b"[", b"<")
"""Of JSON and of markup; no line of a stream of events begins so."""
_STARTS_EVENTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_STARTS: Final = (BYTE_ORDER_MARK, *_STARTS_EVENTS)

_DATA: Final = b"data: "
_EVENT: Final = b"event: "
_UNNAMED: Final = "message"


class EventTooLongError(ForebayError):
    """The stream sent a line or an event beyond the limit; nothing more can be parsed from it."""

    code = "event_too_long"
    retryable = False


class ServerSentEvent(msgspec.Struct, frozen=True, gc=False):
    data: str
    name: str = _UNNAMED
    is_cut: bool = False
    """Whether the stream ended before the blank line that ends an event: it may lack its end."""


class EventParser:
    """Feed it bytes, take whole events; the same bytes give the same events however they are cut.

    Follows the WHATWG grammar: lines end in LF, CRLF or CR, comments and unknown fields are
    skipped, `data` lines are joined by LF, an event without data is none. What the end of the
    stream cuts is not dropped, because some servers leave the last blank line out. Memory is
    bounded: a line or an event longer than `limit_bytes` raises `EventTooLongError`.
    """

    def __init__(self, *, limit_bytes: int = DEFAULT_EVENT_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._line = bytearray()
        self._line_feed_belongs_to_last_line = False
        self._at_start = True
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._name = b""

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes; return the events they complete, in order."""
        if b"\r" in chunk or not self._is_between_events:
            return self._feed_lines(chunk)
        events: list[ServerSentEvent] = []
        *blocks, rest = chunk.split(b"\n\n")
        for block in blocks:
            name, line = "", block
            if block.startswith(_EVENT):
                name, line = _named(block)
            # One line of data, perhaps with a name before it: most of a stream is made of these.
            if line.startswith(_DATA) and b"\n" not in line and len(block) <= self._limit_bytes:
                self._at_start = False
                data = line[len(_DATA) :].decode("utf-8", "replace")
                events.append(ServerSentEvent(data, name or _UNNAMED))
            elif block or self._at_start:
                events += self._feed_lines(block + b"\n\n")
        if rest:
            events += self._feed_lines(rest)
        return events

    @property
    def _is_between_events(self) -> bool:
        is_amid = self._line or self._data or self._name or self._line_feed_belongs_to_last_line
        return not is_amid

    def _feed_lines(self, chunk: bytes) -> list[ServerSentEvent]:
        events: list[ServerSentEvent] = []
        *complete, rest = self._with_plain_line_ends(chunk).split(b"\n")
        for tail in complete:
            self._extend_line(tail)
            event = self._end_line()
            if event is not None:
                events.append(event)
        self._extend_line(rest)
        return events

    def close(self) -> ServerSentEvent | None:
        """The event that the end of the stream leaves without its blank line, if there is one."""
        if self._line:
            self._end_line()
        event = self._end_event()
        return None if event is None else msgspec.structs.replace(event, is_cut=True)

    def _with_plain_line_ends(self, chunk: bytes) -> bytes:
        if not chunk:
            return chunk
        ends_in_return = chunk.endswith(b"\r")
        if self._line_feed_belongs_to_last_line and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._line_feed_belongs_to_last_line = ends_in_return
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _extend_line(self, tail: bytes) -> None:
        if len(self._line) + len(tail) > self._limit_bytes:
            raise EventTooLongError(f"a line of the stream is over {self._limit_bytes} bytes")
        self._line += tail

    def _end_line(self) -> ServerSentEvent | None:
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(BYTE_ORDER_MARK)
        if not line:
            return self._end_event()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._add_data(value)
        elif field == b"event":
            self._name = value
        return None

    def _add_data(self, value: bytes) -> None:
        self._data_bytes += len(value) + 1
        if self._data_bytes > self._limit_bytes + 1:
            raise EventTooLongError(f"an event of the stream is over {self._limit_bytes} bytes")
        self._data.append(value)

    def _end_event(self) -> ServerSentEvent | None:
        data, name = self._data, self._name
        self._data, self._data_bytes, self._name = [], 0, b""
        if not data:
            return None
        return ServerSentEvent(
            data=b"\n".join(data).decode("utf-8", "replace"),
            name=name.decode("utf-8", "replace") or _UNNAMED,
        )


def _named(block: bytes) -> tuple[str, bytes]:
    """The name in the first line of a block, and the rest of the block."""
    first, _, rest = block.partition(b"\n")
    return first[len(_EVENT) :].decode("utf-8", "replace"), rest


def may_be_either(start: bytes) -> bool:
    """Whether it is too short to tell a stream from a body: blank, or a part of a first word."""
    text = _text(start)
    return any(word.startswith(text) and word != text for word in _STARTS)


def starts_events(start: bytes) -> bool | None:
    """Whether a stream of events begins so, whatever its label; None where the label decides."""
    text = _text(start)
    if text.startswith(_STARTS_WHOLE_BODY):
        return False
    return True if text.startswith(_STARTS_EVENTS) else None


def _text(start: bytes) -> bytes:
    return start.removeprefix(BYTE_ORDER_MARK).lstrip()
