"""Batch messages wait in the ledger while no model would answer them, on real breakers."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec

from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import reset_breaker
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.settings.deployment import DeploymentSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.telemetry.metrics import Metrics
from workers.providers.availability import ModelAvailability

from .parking_scene import DOWN, PROVIDERS, TENANT, ParkingScene


async def test_nothing_goes_while_the_breakers_are_open_and_all_goes_after(
    scene: ParkingScene,
) -> None:
    for name in ("first/large", "first/tiny"):
        await scene.breakers.report(name, outcomes=DOWN)
    parked = [await scene.batch() for _ in range(3)]
    person = await scene.hold(TENANT)
    await scene.lead()
    assert scene.publisher.published == [person.id]

    figures = await scene.figures()
    assert (figures.backlog, figures.parked, figures.eta_seconds) == (3, 3, None)
    # Which of the two is back first is a matter of a millisecond.
    assert re.fullmatch(r"Parked: first/(large|tiny) is open until [\d:]+ UTC\.", figures.reason)

    for name in ("first/large", "first/tiny"):
        await reset_breaker(scene.client, name)
    await scene.second()
    assert sorted(scene.publisher.published) == sorted([person.id, *(each.id for each in parked)])


async def test_what_is_put_back_goes_again_though_it_is_seen_before_its_charge(
    scene: ParkingScene,
) -> None:
    batch = [await scene.batch() for _ in range(3)]
    await scene.lead()
    scene.publisher.published.clear()
    scene.clock.advance(1)
    for record in await scene.claims.flush([each.id for each in batch]):
        assert isinstance(record, MessageRecord)
        await scene.claims.put_back(record, units=0.0)
    await scene.term.glance()
    await scene.second()
    await scene.second()
    assert sorted(scene.publisher.published) == sorted(each.id for each in batch)


async def test_what_was_put_back_is_released_by_whoever_believes_to_lead_as_well(
    scene: ParkingScene,
) -> None:
    other = scene.new_term()
    await other.begin()
    held = await scene.batch()
    await other.glance()
    await scene.lead()
    assert scene.publisher.published == [held.id]
    scene.clock.advance(1)
    (claimed,) = await scene.claims.flush([held.id])
    assert isinstance(claimed, MessageRecord)
    await scene.claims.put_back(claimed, units=0.0)
    await other.glance()
    await other.each_second()
    await other.release()
    assert scene.publisher.published == [held.id, held.id]


async def test_what_cannot_be_read_keeps_nobody_from_leading(scene: ParkingScene) -> None:
    await scene.breakers.report("first/large", outcomes=DOWN)
    broken = await scene.hold(TENANT, lane=Lane.BATCH, body='{"shape":3,"model":7}')
    tiny = await scene.batch("tiny")
    await scene.lead()
    await scene.second()
    assert tiny.id in scene.publisher.published
    assert broken.id not in scene.publisher.published


async def test_what_is_urgent_goes_all_the_same(scene: ParkingScene) -> None:
    for name in ("first/large", "first/tiny"):
        await scene.breakers.report(name, outcomes=DOWN)
    now = scene.clock.now()
    await scene.batch()
    urgent = await scene.batch(
        accepted_at=now - timedelta(hours=1), deadline=now + timedelta(minutes=2)
    )
    await scene.lead()
    await scene.second()
    assert scene.publisher.published == [urgent.id]


async def test_messages_for_a_model_that_answers_pass_those_for_one_that_does_not(
    scene: ParkingScene,
) -> None:
    await scene.breakers.report("first/large", outcomes=DOWN)
    for _ in range(12):
        await scene.batch(deadline=scene.clock.now() + timedelta(minutes=30))
    tiny = [await scene.batch("tiny") for _ in range(3)]
    await scene.lead()
    for _ in range(3):
        await scene.second()
    assert sorted(scene.publisher.published) == sorted(each.id for each in tiny)
    assert (await scene.figures()).parked == 12


async def test_messages_that_leave_the_model_to_us_wait_for_either_size(
    scene: ParkingScene,
) -> None:
    tiered = ProviderSettings(
        name="first",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url="http://127.0.0.1:1/v1",
        large_model="large",
        small_model="tiny",
    )
    settings = BreakerSettings()
    board = BreakerBoard(scene.breakers, settings, metrics=Metrics(), clock=scene.clock)
    models = ModelAvailability([tiered], board, scene.clock)
    await scene.breakers.report("first/tiny", outcomes=DOWN)
    await models.look()
    states = {name: each.state.name for name, each in models.outlooks.items()}
    assert (states["auto"], states["small"], states["large"]) == ("AWAY", "AWAY", "ANSWERS")


async def test_a_deployment_that_is_drained_answers_for_nobody(scene: ParkingScene) -> None:
    places = (
        DeploymentSettings(name="here", base_url="http://127.0.0.1:1/v1"),
        DeploymentSettings(name="drained", base_url="http://127.0.0.1:2/v1", weight=0),
    )
    drained = msgspec.structs.replace(PROVIDERS[0], base_url=None, deployments=places)
    board = BreakerBoard(scene.breakers, BreakerSettings(), metrics=Metrics(), clock=scene.clock)
    models = ModelAvailability([drained], board, scene.clock)
    await scene.breakers.report("first@here/large", outcomes=DOWN)
    await models.look()
    states = {name: each.state.name for name, each in models.outlooks.items()}
    assert (states["large"], states["tiny"]) == ("AWAY", "ANSWERS")
