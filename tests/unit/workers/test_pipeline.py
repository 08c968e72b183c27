"""The order of a turn, and what becomes of it when something happens in between."""

from __future__ import annotations

import asyncio
import json

import pytest
from msgspec.structs import replace

from shared.errors import LedgerUnavailable
from shared.messages.body import encode_body
from shared.messages.dead_letter import DeadReason
from shared.messages.requests.create_response import decode_create_response
from shared.messages.state import ResponseState
from tests.unit.workers.noted_pipeline import Bench, call_of, end_turn
from workers.pipeline import TurnOutcome
from workers.turn import Booking, Turn


async def test_a_turn_goes_from_claim_to_reply_in_order() -> None:
    bench = Bench(lambda _: None, end_turn)
    assert await bench.run() is TurnOutcome.ANSWERED
    assert bench.noted == ["claim", "step 1", "step 2", "remember", "reply"]


@pytest.mark.parametrize("searches", [True, False])
async def test_steps_for_searches_are_those_of_messages_that_offer_them(searches: bool) -> None:
    tools = [{"type": "file_search", "vector_store_ids": ["vs_1"]}] if searches else []
    asked = decode_create_response(json.dumps({"input": "well?", "tools": tools}).encode())
    bench = Bench(lambda _: None, end_turn, for_searches=1, body=encode_body(asked).decode())
    assert await bench.run() is TurnOutcome.ANSWERED
    first = ["step 1"] if searches else []
    assert bench.noted == ["claim", *first, "step 2", "remember", "reply"]


async def test_every_step_has_its_series_before_a_turn_took_it() -> None:
    bench = Bench(end_turn)
    steps = ("step 1", "remember", "reply", "follow up")
    assert [_taken(bench, step) for step in steps] == ["0.0"] * 4
    await bench.run()
    assert [_taken(bench, step) for step in steps] == ["1.0", "1.0", "1.0", "0.0"]


def _taken(bench: Bench, step: str) -> str:
    series = f'forebay_step_duration_seconds_count{{step="{step}"}} '
    text = bench.metrics.render().decode()
    return text.partition(series)[2].partition("\n")[0]


async def test_what_the_next_turn_will_want_is_made_once_this_one_is_answered() -> None:
    async def summarise(_: Booking) -> None: ...

    def answer(turn: Turn) -> None:
        turn.follow_up = summarise
        end_turn(turn)

    bench = Bench(answer)
    assert await bench.run() is TurnOutcome.ANSWERED
    assert bench.noted == ["claim", "step 1", "remember", "reply", "follow up"]


async def test_once_a_step_has_ended_the_turn_the_others_are_skipped() -> None:
    bench = Bench(end_turn, end_turn, end_turn)
    assert await bench.run() is TurnOutcome.ANSWERED
    assert bench.noted == ["claim", "step 1", "remember", "reply"]


async def test_a_wake_up_for_nothing_does_nothing() -> None:
    bench = Bench(end_turn, found=False)
    assert await bench.run() is TurnOutcome.NOTHING_TO_CLAIM
    assert bench.noted == ["claim"]


async def test_a_turn_that_lost_its_place_says_nothing() -> None:
    bench = Bench(end_turn, remember=lambda _: False)
    assert await bench.run() is TurnOutcome.LOST
    assert "reply" not in bench.noted


async def test_what_a_turn_has_called_is_booked_where_its_end_is_refused() -> None:
    def answer(turn: Turn) -> None:
        turn.book((call_of("first"),))
        end_turn(turn)

    bench = Bench(answer, remember=lambda _: False)
    assert await bench.run() is TurnOutcome.LOST
    assert bench.noted[-2:] == ["remember", "booked first"]


async def test_what_wasend_turned_is_booked_where_the_end_cannot_be_written() -> None:
    def answer(turn: Turn) -> None:
        turn.book((call_of("first"),))
        end_turn(turn)

    async def away(_: Turn) -> bool:
        raise LedgerUnavailable("It is away.")

    bench = Bench(answer, remember=away)
    assert await bench.run() is TurnOutcome.RELEASED
    assert bench.noted[-2:] == ["release later", "booked first"]


async def test_a_step_is_stopped_as_soon_as_its_lease_is_gone() -> None:
    async def endless(_: Turn) -> None:
        bench.claims.is_held = False
        await asyncio.Event().wait()

    bench = Bench(endless)
    assert await asyncio.wait_for(bench.run(), 60) is TurnOutcome.LOST
    assert bench.noted == ["claim", "step 1"], "not given back: somebody else has it"


async def test_a_renewal_that_misses_the_message_it_just_ended_stops_nothing() -> None:
    async def written_while_leases_are_renewed(_: Turn) -> bool:
        bench.claims.is_held = False
        await asyncio.sleep(0.02)  # several renewals, none of which finds the message
        return True

    bench = Bench(end_turn, remember=written_while_leases_are_renewed)
    assert await bench.run() is TurnOutcome.ANSWERED
    assert bench.noted[-1] == "reply"


async def test_a_fault_of_ours_gives_the_message_back_for_later() -> None:
    def broken(_: Turn) -> None:
        raise ZeroDivisionError

    bench = Bench(broken)
    assert await bench.run() is TurnOutcome.RELEASED
    assert bench.noted == ["claim", "step 1", "release later"]
    assert (bench.claims.fault, bench.claims.why) == ("ZeroDivisionError", "ZeroDivisionError")


async def test_the_same_fault_twice_ends_the_message_with_its_name() -> None:
    bench = Bench(lambda _: 1 / 0)
    bench.turn.record = replace(bench.turn.record, attempt=2, error_message="ZeroDivisionError")

    assert await bench.run() is TurnOutcome.FAILED
    assert bench.noted == ["claim", "step 1", "remember", "reply"]
    end = bench.turn.settlement
    assert end is not None
    assert (end.state, end.dead_reason) == (ResponseState.FAILED, DeadReason.FAULT)
    assert "ZeroDivisionError" in (end.error_message or "")


@pytest.mark.parametrize(
    ("error", "before"),
    [(ZeroDivisionError(), "KeyError"), (LedgerUnavailable("away"), "LedgerUnavailable")],
)
async def test_another_fault_and_one_that_may_pass_give_the_message_back_again(
    error: Exception, before: str
) -> None:
    def broken(_: Turn) -> None:
        raise error

    bench = Bench(broken)
    bench.turn.record = replace(bench.turn.record, error_message=before)

    assert await bench.run() is TurnOutcome.RELEASED


@pytest.mark.parametrize("away", [False, True])
async def test_a_shutdown_gives_the_message_back_and_stays_a_shutdown(away: bool) -> None:
    async def endless(_: Turn) -> None:
        begun.set()
        await asyncio.Event().wait()

    begun = asyncio.Event()
    bench = Bench(endless)
    bench.claims.is_away = away
    running = asyncio.create_task(bench.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.noted == ["claim", "step 1", "release"]


async def test_a_deadline_ends_the_turn_and_not_the_worker() -> None:
    async def endless(_: Turn) -> None:
        await asyncio.Event().wait()

    bench = Bench(endless, seconds=0.02)
    assert await asyncio.wait_for(bench.run(), 60) is TurnOutcome.FAILED
    assert bench.turn.settlement is not None
    assert bench.turn.settlement.state is ResponseState.FAILED
    assert bench.turn.settlement.dead_reason is DeadReason.DEADLINE_PASSED
    assert bench.noted[-2:] == ["remember", "reply"]


async def test_a_timeout_inside_a_step_is_a_fault_and_no_deadline() -> None:
    def slow(_: Turn) -> None:
        raise TimeoutError

    bench = Bench(slow)
    assert await bench.run() is TurnOutcome.RELEASED
