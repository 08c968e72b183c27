"""Every provider of models against a server that keeps them waiting."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from tests.conformance.providers.adapters import Build
from tests.integration.providers.asking import ECHO, Heard, failure, prompt
from workers.providers.error_class import TimeoutPhase
from workers.providers.failures import ProviderTimeoutError


@pytest.mark.parametrize(
    ("behave", "timeouts", "phase"),
    [
        (Behaviour(kind=Kind.HANG), {"first_token_seconds": 0.2}, TimeoutPhase.FIRST_TOKEN),
        (
            Behaviour(kind=Kind.STALL, after_tokens=0),
            {"first_token_seconds": 0.2},
            TimeoutPhase.FIRST_TOKEN,
        ),
        (Behaviour(kind=Kind.STALL), {"idle_seconds": 0.2}, TimeoutPhase.IDLE),
        (
            Behaviour(kind=Kind.SLOW_DRIP, every_seconds=0.1),
            {"total_seconds": 0.3},
            TimeoutPhase.TOTAL,
        ),
        (Behaviour(kind=Kind.HANG), {"total_seconds": 0.2}, TimeoutPhase.TOTAL),
    ],
)
async def test_a_stream_that_keeps_us_waiting_is_given_up_by_phase(
    build: Build,
    scripted: ScriptedProvider,
    behave: Behaviour,
    timeouts: dict[str, float],
    phase: TimeoutPhase,
) -> None:
    scripted.script(behave)

    error = await failure(build(**timeouts), heard=Heard())

    assert isinstance(error, ProviderTimeoutError)
    assert error.phase is phase


@pytest.mark.parametrize("kind", [Kind.HANG, Kind.STALL])
async def test_a_plain_call_never_outlasts_the_time_left(
    build: Build, scripted: ScriptedProvider, kind: Kind
) -> None:
    scripted.script(Behaviour(kind=kind))
    started = time.monotonic()

    error = await failure(build(), time_left_seconds=0.3)

    assert isinstance(error, ProviderTimeoutError)
    assert error.phase is TimeoutPhase.TOTAL
    assert time.monotonic() - started < 30


async def test_a_slow_drip_is_no_timeout_while_it_drips(
    build: Build, scripted: ScriptedProvider
) -> None:
    scripted.script(Behaviour(kind=Kind.SLOW_DRIP, every_seconds=0.05))

    answer = await build(idle_seconds=30).answer(prompt(), time_left_seconds=60, on_delta=Heard())

    assert answer.text == ECHO


async def test_time_the_caller_takes_for_a_piece_is_not_the_providers(
    build: Build, scripted: ScriptedProvider
) -> None:
    scripted.script(Behaviour(kind=Kind.SLOW_DRIP, every_seconds=0.01))

    async def slow_caller(piece: str) -> None:
        if piece == "You":
            await asyncio.sleep(1.4)

    answer = await build(idle_seconds=1.0).answer(
        prompt(), time_left_seconds=60, on_delta=slow_caller
    )

    assert answer.text == ECHO


async def test_a_server_that_accepts_nobody_runs_into_the_connect_timeout(build: Build) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        error = await failure(
            build(f"http://127.0.0.1:{full.getsockname()[1]}", connect_seconds=0.3)
        )
        for one in waiting:
            one.close()

    assert isinstance(error, ProviderTimeoutError)
    assert error.phase is TimeoutPhase.CONNECT
