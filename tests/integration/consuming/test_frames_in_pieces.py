"""A frame that comes in pieces is read whole, also by who looked for it too early."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.queueing.amqp.transport import GuardedConnection
from tests.servers.authority import Authority

BODY = bytes(range(256))
FRAME = b"\x03\x00\x01" + len(BODY).to_bytes(4, "big") + BODY + b"\xce"


@pytest.fixture(params=["plain", "tls"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Any, socket.socket]]:
    """py-amqp's end of a connection as we build it, and the peer's."""
    encryption: dict[str, Any] = {}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if request.param == "tls":
        authority = Authority(tmp_path)
        certificate = authority.issue("server")
        context.load_cert_chain(certificate.certificate_file, certificate.key_file)
        encryption = {"ssl": {"ca_certs": str(authority.ca_file)}}
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:
        accepting = pool.submit(_accept, server, context if encryption else None)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        transport = GuardedConnection(address).Transport(address, 60, **encryption)
        transport.connect()
        with accepting.result() as peer:
            yield transport, peer
            transport.sock.close()


def test_a_frame_in_pieces(ends: tuple[Any, socket.socket]) -> None:
    transport, peer = ends
    with pytest.raises(TimeoutError), transport.having_timeout(0):
        transport.read_frame()
    with ThreadPoolExecutor() as pool, transport.having_timeout(60):
        reading = pool.submit(transport.read_frame)
        for start in range(0, len(FRAME), 3):
            peer.sendall(FRAME[start : start + 3])
        assert reading.result() == (3, 1, BODY)


def _accept(server: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    peer, _ = server.accept()
    return context.wrap_socket(peer, server_side=True) if context else peer
