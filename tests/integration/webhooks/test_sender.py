"""One try: to the address that was checked, in its time, and never led elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.deliveries import ClaimedDelivery, TriedDelivery
from shared.webhooks.endpoints import WebhookEndpoint
from shared.webhooks.signing import WebhookEvent, new_secret
from tests.integration.webhooks.receiver import WebhookReceiver, received
from tests.servers.authority import Authority
from tests.servers.ports import free_port
from workers.webhooks.sender import WebhookSender

LOOPBACK = ("127.0.0.0/8", "::1/128")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMED = ClaimedDelivery(
    id="whd_1",
    event=WebhookEvent(
        id="evt_1", type=EventType.RESPONSE_COMPLETED, about="resp_1", created_at=NOW
    ),
    ordinal=1,
    tries_left=3,
)


async def _sent(url: str, *, tls: ssl.SSLContext | None = None, **changes: Any) -> TriedDelivery:
    endpoint = WebhookEndpoint(
        id="we_1", tenant_id="ten_1", url=url, events=None, created_at=NOW, secrets=(new_secret(),)
    )
    fields = {"allow_http": True, "allowed_networks": LOOPBACK, "timeout_seconds": 60.0}
    settings = WebhookSettings(**(fields | changes))
    return await WebhookSender(settings, SystemClock(), tls=tls).send(endpoint, CLAIMED)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with received() as opened:
        yield opened


async def test_a_redirect_is_a_failure_and_not_followed(receiver: WebhookReceiver) -> None:
    async with received() as elsewhere:
        receiver.statuses.append(307)
        receiver.headers = {"Location": elsewhere.url}
        tried = await _sent(receiver.url)
        assert elsewhere.got == []
    assert tried.status == 307
    assert tried.error is not None
    assert "redirects are not followed" in tried.error
    assert not tried.is_final


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_is_refused_unless_it_is_allowed(
    receiver: WebhookReceiver, host: str
) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    refused = await _sent(url, allowed_networks=())
    assert receiver.got == []
    assert refused.status is None
    assert refused.error is not None
    assert "webhooks.allowed_networks" in refused.error
    if host == "127.0.0.1":
        assert (await _sent(url)).error is None
        assert len(receiver.got) == 1


async def test_http_is_refused_once_it_is_not_allowed_any_more(receiver: WebhookReceiver) -> None:
    tried = await _sent(receiver.url, allow_http=False)
    assert receiver.got == []
    assert "does not begin with https://" in str(tried.error)


async def test_the_query_of_an_address_is_sent_as_it_was_written(
    receiver: WebhookReceiver,
) -> None:
    await _sent(receiver.url + "?token=a%20b&c=d")
    (got,) = receiver.got
    assert got.path == "/hook?token=a%20b&c=d"
    assert got.headers["connection"] == "close"


async def test_a_server_that_says_nothing_is_given_up_in_time(receiver: WebhookReceiver) -> None:
    receiver.is_open.clear()
    tried = await _sent(receiver.url, timeout_seconds=0.2)
    assert tried.error == "It did not answer within 0.2 s."
    assert tried.seconds >= 0.2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "broke the connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", "65536"),
    ],
)
async def test_what_is_no_answer_is_a_failure_that_says_so(answer: bytes, told: str) -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        tried = await _sent(f"http://127.0.0.1:{port}/")
    assert tried.status is None
    assert told in str(tried.error)


async def test_a_status_counts_however_long_the_body_after_it_is() -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        try:
            while True:
                writer.write(b"a" * 65_536)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        tried = await _sent(f"http://127.0.0.1:{port}/")
    assert (tried.status, tried.error) == (204, None)


async def test_a_port_where_nobody_is_and_a_name_that_nobody_has_are_failures() -> None:
    nobody = await _sent(f"http://127.0.0.1:{free_port()}/")
    nameless = await _sent("http://nobody.invalid/")
    for each in (nobody, nameless):
        assert each.status is None
        assert str(each.error).startswith("It cannot be reached: ")


async def test_https_is_spoken_with_who_proves_the_name_and_with_nobody_else(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path / "ours")
    own = authority.issue("receiver")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(own.certificate_file, own.key_file)
    trusting = ssl.create_default_context(cafile=str(authority.ca_file))
    async with received(serving) as receiver:
        assert (await _sent(receiver.url, tls=trusting)).error is None
        untrusted = await _sent(receiver.url)
        misnamed = await _sent(receiver.url.replace("127.0.0.1", "localhost"), tls=trusting)
        assert len(receiver.got) == 1
    for each in (untrusted, misnamed):
        assert str(each.error).startswith("It cannot be reached: ")
    assert "certificate verify failed" in str(untrusted.error)
