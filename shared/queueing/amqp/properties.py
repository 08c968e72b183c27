"""A message's content header taken apart; one of our own wake-ups at a tenth of the cost.

py-amqp decodes a table of headers entry by entry, in Python. In wake-ups of one door everything
before the id is the same, byte for byte: it is decoded once.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final, NamedTuple

from amqp.serialization import decode_properties_basic, dumps, loads

from shared.queueing.reading.delivery import MALFORMED_HEADER, why_undecodable

_FIXED_BYTES: Final = 12
"""Class, weight and body size, which come before the properties."""
_SIZE: Final = Struct(">I")
_ID_ENTRY: Final = b"\x02idS"
_ROOT_ENTRY: Final = b"\x07root_idS"
_PERSISTENT: Final = b"\x02"
_MOST_KNOWN: Final = 256
"""Beginnings that are kept: one for each process that publishes, and each length of a trace."""


class ContentHeader(NamedTuple):
    """The properties as py-amqp names them, and the headers among them."""

    properties: dict[str, Any]
    headers: dict[str, Any]


class _Beginning(NamedTuple):
    headers: dict[str, Any]
    content_type: str
    content_encoding: str
    table_end: int


def body_size(payload: bytes) -> int:
    """The size of the body that follows."""
    return int.from_bytes(payload[4:_FIXED_BYTES], "big")


class ContentHeaderReader:
    """Reads header frames. One that cannot be taken apart says so in its only header."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Beginning | None] = {}

    def read(self, payload: bytes) -> ContentHeader:
        """Never raises, whatever is in it."""
        place = payload.find(_ID_ENTRY)
        if place > 0:
            key = payload[_FIXED_BYTES:place]
            beginning = self._known.get(key, ())
            if beginning == ():
                beginning = self._learn(key, payload, place)
            if beginning and (found := _wake_up(beginning, payload, place + len(_ID_ENTRY))):
                return found
        return _decoded(payload)

    def _learn(self, key: bytes, payload: bytes, place: int) -> _Beginning | None:
        beginning = _beginning(payload, place)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = beginning
        return beginning


def _beginning(payload: bytes, place: int) -> _Beginning | None:
    """What stands before the id; None where that is not certain."""
    properties, headers = _decoded(payload)
    names = list(headers)
    if "id" not in names or MALFORMED_HEADER in names:
        return None
    before = {name: headers[name] for name in names[: names.index("id")]}
    content_type, encoding = properties.get("content_type"), properties.get("content_encoding")
    if not content_type or not encoding:
        return None
    table = _FIXED_BYTES + 2 + len(dumps("ss", (content_type, encoding)))
    written = dumps("F", (before,))[_SIZE.size :]
    if payload[table + _SIZE.size : place] != written:
        return None  # the id that was found is a part of something else
    (size,) = _SIZE.unpack_from(payload, table)
    return _Beginning(before, content_type, encoding, table + _SIZE.size + size)


def _wake_up(beginning: _Beginning, payload: bytes, at: int) -> ContentHeader | None:
    """The header, if it goes on as one of ours does: the id, the same again, perhaps a trace."""
    value = payload[at : at + _SIZE.size + int.from_bytes(payload[at : at + _SIZE.size], "big")]
    after = _ROOT_ENTRY + value
    trace_at = at + len(value) + len(after)
    identifier, end = value[_SIZE.size :], beginning.table_end
    rest = _PERSISTENT + bytes((len(identifier) & 0xFF,)) + identifier
    is_ours = payload[at + len(value) : trace_at] == after and payload[end:] == rest
    if not is_ours or not identifier.isascii():
        return None
    text = identifier.decode()
    headers = {**beginning.headers, "id": text, "root_id": text}
    if trace_at != end:
        try:
            headers |= loads("F", _SIZE.pack(end - trace_at) + payload[trace_at:end], 0)[0][0]
        except Exception:  # noqa: BLE001 - foreign bytes after all
            return None
    return ContentHeader(
        {
            "content_type": beginning.content_type,
            "content_encoding": beginning.content_encoding,
            "application_headers": headers,
            "delivery_mode": 2,
            "correlation_id": text,
        },
        headers,
    )


def _decoded(payload: bytes) -> ContentHeader:
    try:
        properties, _ = decode_properties_basic(payload, _FIXED_BYTES)
    except Exception as error:  # noqa: BLE001 - the border of one element: any foreign value
        properties = {
            "application_headers": {MALFORMED_HEADER: why_undecodable("its properties", error)}
        }
    headers = properties.get("application_headers")
    return ContentHeader(properties, headers if isinstance(headers, dict) else {})
