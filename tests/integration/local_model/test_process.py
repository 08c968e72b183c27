"""The local model's process: what it refuses, how it ends, and who answers while it is away."""

from __future__ import annotations

import socket
import urllib.request
from datetime import timedelta
from pathlib import Path

from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import BreakerFleet
from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.redis.client import open_redis
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.telemetry.metrics import Metrics
from tests.integration.local_model.running_model import RunningModel, start_in_vain
from tests.integration.patience import patient_settings
from tests.servers.ports import free_port
from workers.providers.building import build_chain
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt
from workers.providers.rules import BUILT_IN_RULES
from workers.providers.wire.http.connections import ProviderConnections


def test_it_ends_soon_when_it_is_told_to(tmp_path: Path) -> None:
    model = RunningModel(tmp_path)
    assert f"listens on {model.base_url}" in model.log.read_text()
    model.stop()
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", model.port)) != 0


def test_a_page_of_another_site_may_not_read_what_it_says(model: RunningModel) -> None:
    request = urllib.request.Request(
        f"{model.base_url}/models", headers={"Origin": "http://elsewhere.example"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert not answer.headers.get("Access-Control-Allow-Origin")


def test_weights_that_are_no_model_are_refused_with_their_name(tmp_path: Path) -> None:
    weights = tmp_path / "weights.gguf"
    weights.write_text("no model")
    ended = start_in_vain(free_port(), weights_file=str(weights))
    assert ended.returncode == 1
    assert f"cannot serve {weights}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_missing_weights_are_a_fault_of_the_settings() -> None:
    ended = start_in_vain(free_port(), weights_file="/nowhere/model.gguf")
    assert ended.returncode == 78
    assert "local_model.weights_file = '/nowhere/model.gguf' is not a file" in ended.stderr


def test_a_port_that_is_taken_is_said(model: RunningModel) -> None:
    ended = start_in_vain(model.port)
    assert ended.returncode == 1
    assert "nobody else may have the port" in ended.stderr


async def test_while_it_is_away_rules_answer_and_its_breaker_opens(
    connections: ProviderConnections, redis_url: str
) -> None:
    clock = SystemClock()
    redis = open_redis(patient_settings(redis_url))
    settings = BreakerSettings()
    fleet = BreakerFleet(redis, settings, clock)
    breakers = BreakerBoard(fleet, settings, metrics=Metrics(), clock=clock)
    away = ProviderSettings(
        name="local",
        kind=ProviderKind.LOCAL,
        base_url=f"http://127.0.0.1:{free_port()}/v1",
        model="smollm2",
        max_tries=1,
    )
    rules = ProviderSettings(name="rules", kind=ProviderKind.RULES, rules_file=str(BUILT_IN_RULES))
    chain = build_chain((away, rules), connections, clock=clock, breakers=breakers)
    prompt = Prompt(items=(MessageItem(Role.USER, "Hello"),))
    asked = []
    for _ in range(8):
        result = await chain.answer(prompt, deadline=clock.now() + timedelta(seconds=30))
        assert isinstance(result.outcome, Answer)
        assert result.attempts[-1].provider == "rules"
        asked.append(len(result.attempts))
    await breakers.close()
    await fleet.close()
    await redis.aclose()
    assert asked[0] == 2
    assert asked[-1] == 1
