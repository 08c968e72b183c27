"""`auto` becomes a tier, and what the caller named stays."""

from __future__ import annotations

import pytest

from shared.messages.turn_report import RoutingReport, Tier
from shared.settings.turn.routing import RoutingSettings, TenantRouting
from shared.telemetry.metrics import Metrics
from tests.unit.workers.steps.test_prompt import turn_of
from workers.routing.model_router import ModelRouter
from workers.steps.answer import prompt_of
from workers.steps.choose_model import ChooseModel
from workers.turn import Turn

METRICS = Metrics()


async def chosen(turn: Turn, **settings: object) -> Turn:
    router = ModelRouter(RoutingSettings(**settings))  # type: ignore[arg-type]
    await ChooseModel(router, METRICS)(turn)
    return turn


def routing_of(turn: Turn) -> RoutingReport | None:
    return turn.report.routing if turn.report else None


@pytest.mark.parametrize("model", [None, "auto"])
async def test_a_message_that_names_no_model_gets_a_tier(model: str | None) -> None:
    easy = await chosen(turn_of(model=model))
    assert prompt_of(easy).model == Tier.SMALL
    hard = await chosen(turn_of(model=model, input="Prove that pi is irrational and explain why."))
    assert prompt_of(hard).model == Tier.LARGE
    routing = routing_of(hard)
    assert routing is not None
    assert routing.score is not None


async def test_a_model_that_the_caller_named_stays_and_nothing_is_reported() -> None:
    turn = await chosen(turn_of(model="gpt-9", input="Prove it and explain why."))
    assert prompt_of(turn).model == "gpt-9"
    assert routing_of(turn) is None


async def test_a_tier_that_the_caller_named_stays_and_is_reported() -> None:
    turn = await chosen(turn_of(model="small", input="Prove it and explain why."))
    assert prompt_of(turn).model == "small"
    routing = routing_of(turn)
    assert routing is not None
    assert (routing.tier, routing.score) == (Tier.SMALL, None)


async def test_a_pinned_tenant_keeps_its_tier() -> None:
    turn = await chosen(turn_of(), tenants={"ten_1": TenantRouting(tier="large")})
    assert prompt_of(turn).model == Tier.LARGE


async def test_messages_are_counted_by_tier() -> None:
    before = METRICS.routed_messages.labels("small")._value.get()
    await chosen(turn_of())
    assert METRICS.routed_messages.labels("small")._value.get() == before + 1
