"""The body of POST /v1/messages/batches as it comes: one request after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

import msgspec

from ingress.api.message_batches.create_message_batch import CreateMessageBatch, MessageBatchRequest
from shared.batches.batch import LONGEST_LINE_BYTES, MOST_MESSAGES
from shared.decoding import decode_json
from shared.errors import InvalidRequest

_HEAD: Final = re.compile(rb'\s*\{\s*"requests"\s*:\s*\[\s*')
_LONGEST_HEAD_BYTES: Final = 4_096
_TO_MARK: Final = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""To the next bracket that is no part of a text."""
_IN_TEXT: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_SPACE: Final = re.compile(rb"\s*")
_OPENING: Final = b"{["
_JSON_FAULT: Final = "invalid_json"
_decoder: Final = msgspec.json.Decoder(CreateMessageBatch)


class _BodyPlace(Enum):
    """Where in the body it is."""

    HEAD = auto()
    FIRST = auto()
    """At the first request, or the end of none."""
    REQUEST = auto()
    AFTER = auto()
    """Behind a request."""
    END = auto()


class IncomingRequests:
    """Takes the body in pieces, of which there is never more in memory than one request has.

    Raises InvalidRequest that names what is wrong, an id that is there twice too.
    """

    def __init__(self) -> None:
        self._place = _BodyPlace.HEAD
        self._buffer = bytearray()
        self._at = 0
        self._depth = 0
        self._is_text = False
        self._place_of_id: dict[str, int] = {}

    def take(self, piece: bytes) -> Iterator[bytes]:
        """The lines of the requests that are whole by now."""
        self._buffer += piece
        while (line := self._next()) is not None:
            yield line
        if len(self._buffer) > LONGEST_LINE_BYTES:
            raise self._too_long()

    def finish(self) -> None:
        """The body has ended."""
        if self._place is _BodyPlace.HEAD:
            decode_json(_decoder, bytes(self._buffer))
            raise _headless()
        if self._place is not _BodyPlace.END or self._buffer.strip():
            raise _not_json()

    def _next(self) -> bytes | None:
        if self._place is _BodyPlace.HEAD and not self._is_past_head():
            return None
        if self._place in {_BodyPlace.FIRST, _BodyPlace.AFTER} and not self._is_at_request():
            return None
        if self._place is not _BodyPlace.REQUEST or not self._is_past_request():
            return None
        raw = bytes(self._buffer[: self._at])
        del self._buffer[: self._at]
        self._at, self._place = 0, _BodyPlace.AFTER
        return self._line(raw)

    def _is_past_head(self) -> bool:
        found = _HEAD.match(self._buffer)
        if found is not None and found.end() < len(self._buffer):
            del self._buffer[: found.end()]
            self._place = _BodyPlace.FIRST
            return True
        if len(self._buffer) > _LONGEST_HEAD_BYTES:
            raise _headless()
        return False

    def _is_at_request(self) -> bool:
        """Whether another one begins here, as far as can be seen."""
        self._skip_space()
        if self._buffer and self._place is _BodyPlace.AFTER and self._buffer[:1] == b",":
            self._place = _BodyPlace.REQUEST
            del self._buffer[:1]
            self._skip_space()
        elif self._buffer and self._buffer[:1] != b"]" and self._place is _BodyPlace.FIRST:
            self._place = _BodyPlace.REQUEST
        elif self._buffer:
            self._end()
        return self._place is _BodyPlace.REQUEST

    def _end(self) -> None:
        if not self._buffer.startswith(b"]"):
            raise _not_json()
        if not self._place_of_id:
            raise InvalidRequest("'requests' is empty. Send one at least.", param="requests")
        after = bytes(self._buffer[1:]).strip()
        if not after:
            return  # the rest is on its way
        if not after.startswith(b"}"):
            raise InvalidRequest("'requests' is all that is taken.", param="requests")
        self._buffer[:] = after[1:]
        self._place = _BodyPlace.END

    def _is_past_request(self) -> bool:
        if self._at == 0:
            self._skip_space()
            if self._buffer and not self._buffer.startswith(b"{"):
                raise self._wrong("must be an object")
        while self._at < len(self._buffer):
            if self._is_text and not self._is_past_text():
                return False
            self._at = _TO_MARK.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            mark = self._buffer[self._at : self._at + 1]
            self._at += len(mark)
            if mark == b'"':
                self._is_text = True
            elif mark:
                self._depth += 1 if mark in _OPENING else -1
                if self._depth == 0:
                    return True
        return False

    def _is_past_text(self) -> bool:
        self._at = _IN_TEXT.match(self._buffer, self._at).end()  # type: ignore[union-attr]
        self._is_text = self._buffer[self._at : self._at + 1] != b'"'
        self._at += not self._is_text
        return not self._is_text

    def _skip_space(self) -> None:
        del self._buffer[: _SPACE.match(self._buffer).end()]  # type: ignore[union-attr]

    def _line(self, raw: bytes) -> bytes:
        place = len(self._place_of_id)
        if place >= MOST_MESSAGES:
            raise InvalidRequest(
                f"A batch takes {MOST_MESSAGES} requests. Send the others as another.",
                param="requests",
            )
        if len(raw) > LONGEST_LINE_BYTES:
            raise self._too_long()
        asked = _decoded(raw, place)
        if not bytes(asked.params).startswith(b"{"):
            raise self._wrong("must be an object", ".params")
        first = self._place_of_id.setdefault(asked.custom_id, place)
        if first != place:
            raise self._wrong(f"is that of requests[{first}]. Give each its own", ".custom_id")
        return (msgspec.json.format(raw, indent=-1) if b"\n" in raw else raw) + b"\n"

    def _too_long(self) -> InvalidRequest:
        return self._wrong(f"is longer than {LONGEST_LINE_BYTES} bytes")

    def _wrong(self, why: str, field: str = "") -> InvalidRequest:
        name = f"requests[{len(self._place_of_id)}]{field}"
        return InvalidRequest(f"'{name}' {why}.", param=name)


def _decoded(raw: bytes, place: int) -> MessageBatchRequest:
    """The request at that place of the body."""
    first, named = "requests[0]", f"requests[{place}]"
    try:
        asked = decode_json(_decoder, b'{"requests":[%b]}' % raw).requests[0]
        if not raw.isascii():
            raw.decode()  # of what is kept as it came nobody else looks at the bytes
    except InvalidRequest as error:
        told, param = error.message.replace(first, named, 1), error.param
        if error.kind == _JSON_FAULT:
            told = f"'{named}' is not valid JSON. Send one object."
        where = named if param is None else param.replace(first, named, 1)
        raise InvalidRequest(told, param=where, kind=error.kind) from None
    except UnicodeDecodeError as error:
        told = f"'{named}' is not UTF-8 at its byte {error.start + 1}. Send it as UTF-8."
        raise InvalidRequest(told, param=named, kind=_JSON_FAULT) from None
    return asked


def _headless() -> InvalidRequest:
    return InvalidRequest(
        "The body must be an object with 'requests' alone, which is an array.", param="requests"
    )


def _not_json() -> InvalidRequest:
    return InvalidRequest(
        "The body is not valid JSON: it ends before 'requests' does, or goes on behind it.",
        kind=_JSON_FAULT,
    )
