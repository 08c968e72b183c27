"""kombu's AMQP transport, made to outlive what its codec cannot take apart.

py-amqp decodes a message's properties while it reads the socket; what it cannot hold raises there,
before any consumer sees the message, takes the connection along and comes again with the next one.
Here such a message arrives with its body as it came and one header that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from amqp.method_framing import frame_handler
from amqp.serialization import decode_properties_basic, dumps
from amqp.transport import SSLTransport, TCPTransport
from kombu.transport import pyamqp

from shared.queueing.amqp.frames import HEADER
from shared.queueing.reading.delivery import COMPRESSION_HEADER, MALFORMED_HEADER, why_undecodable

_Frame = tuple[int, int, bytes]

_FIXED_BYTES: Final = 12
"""Class, weight and body size, which come before the properties."""
_BODY_SIZE: Final = slice(4, 12)
_ONLY_HEADERS: Final = (0x2000).to_bytes(2, "big")


def guarded_frame_handler(
    connection: Any, callback: Callable[..., object]
) -> Callable[[_Frame], bool]:
    """py-amqp's reader of frames, which is given a readable header where one is not."""
    handle: Callable[[_Frame], bool] = frame_handler(connection, callback)

    def on_frame(frame: _Frame) -> bool:
        kind, channel, payload = frame
        if kind != HEADER:
            return handle(frame)
        if not any(payload[_BODY_SIZE]):
            # Handed on at once: what its consumer raises is not the codec's.
            return handle((kind, channel, _readable(bytes(payload))))
        try:
            return handle(frame)
        except Exception as error:  # noqa: BLE001 - the border of one element: any foreign value
            return handle((kind, channel, readable_header(bytes(payload), error)))

    return on_frame


def _readable(payload: bytes) -> bytes:
    try:
        decode_properties_basic(payload, _FIXED_BYTES)
    except Exception as error:  # noqa: BLE001 - the same border
        return readable_header(payload, error)
    return payload


def readable_header(payload: bytes, error: Exception) -> bytes:
    """A content header for the same body whose only property says why there are no others."""
    why = why_undecodable("its properties", error)
    headers: bytes = dumps("F", ({MALFORMED_HEADER: why},))
    return payload[:_FIXED_BYTES] + _ONLY_HEADERS + headers


class _Punctual:
    """Lets every wait for the broker end in its time, which py-amqp does not.

    What has come until then is kept, and read on from by whoever waits again.
    """

    def _read(self, n: int, initial: bool = False) -> bytes:  # noqa: ARG002
        piece: bytes = super()._read(n, initial=True)  # type: ignore[misc]
        return piece


class _PunctualTcp(_Punctual, TCPTransport):  # type: ignore[misc,unused-ignore]
    """Plain TCP."""


class _PunctualTls(_Punctual, SSLTransport):  # type: ignore[misc,unused-ignore]
    """TLS."""


class AmqpMessage(pyamqp.Message):  # type: ignore[misc,unused-ignore]
    """A message whose body stays compressed until its reader unpacks it within a limit."""

    def __init__(self, msg: Any, channel: Any = None, **options: Any) -> None:
        headers = msg.properties.get("application_headers")
        packed = headers.pop(COMPRESSION_HEADER, None) if isinstance(headers, dict) else None
        super().__init__(msg, channel, **options)
        self.compression = packed


class AmqpChannel(pyamqp.Channel):  # type: ignore[misc,unused-ignore]
    """kombu's channel with the guarded message."""

    Message = AmqpMessage


class GuardedConnection(pyamqp.Connection):  # type: ignore[misc,unused-ignore]
    """kombu's connection with the guarded reader of frames, over a punctual socket."""

    Channel = AmqpChannel

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "frame_handler": guarded_frame_handler})

    def Transport(  # noqa: N802 - py-amqp's name for it
        self,
        host: str,
        connect_timeout: float | None,
        ssl: bool | dict[str, Any] = False,
        read_timeout: float | None = None,
        write_timeout: float | None = None,
        socket_settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        return (_PunctualTls if ssl else _PunctualTcp)(
            host,
            connect_timeout=connect_timeout,
            ssl=ssl,
            read_timeout=read_timeout,
            write_timeout=write_timeout,
            socket_settings=socket_settings,
            **options,
        )


class AmqpTransport(pyamqp.Transport):  # type: ignore[misc,unused-ignore]
    """For kombu connections of ours and of the Celery worker."""

    Connection = GuardedConnection
