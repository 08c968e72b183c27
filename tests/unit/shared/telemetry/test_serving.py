"""What a process that is no door answers to whoever scrapes it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from shared.telemetry.metrics import Metrics
from shared.telemetry.serving import served
from tests.servers.ports import free_port

OPEN_METRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"


@pytest.mark.parametrize("accept", ["*/*", OPEN_METRICS])
async def test_it_is_what_a_door_answers_whatever_format_is_asked_for(accept: str) -> None:
    metrics, port = Metrics(), free_port()
    metrics.lease_expiries.inc()
    with served(metrics, host="127.0.0.1", port=port):
        async with (
            aiohttp.ClientSession(headers={"accept": accept}) as client,
            client.get(f"http://127.0.0.1:{port}/metrics") as answer,
        ):
            text, kind = await answer.text(), answer.headers["content-type"]
    assert kind == Metrics.CONTENT_TYPE
    assert "forebay_lease_expiries_total 1.0" in text
    assert "_created" not in text


async def test_who_connects_and_asks_nothing_holds_up_neither_others_nor_the_end() -> None:
    metrics, port = Metrics(), free_port()
    async with asyncio.timeout(60):
        with served(metrics, host="127.0.0.1", port=port):
            _, silent = await asyncio.open_connection("127.0.0.1", port)
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"http://127.0.0.1:{port}/metrics") as answer,
            ):
                assert answer.status == 200
    silent.close()


async def test_it_listens_where_ipv6_is_asked_for() -> None:
    port = free_port()
    with served(Metrics(), host="::1", port=port):
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://[::1]:{port}/metrics") as answer,
        ):
            assert answer.status == 200


async def test_port_0_is_off() -> None:
    with served(Metrics(), host="no such host", port=0):
        pass
