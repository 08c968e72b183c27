"""The executor is killed before and after each of its statements and calls, one after the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from inspect import isasyncgenfunction
from typing import Any

import pytest

from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from shared.batches.provider_tables import HandedOverState
from shared.messages.state import ResponseState
from shared.settings.providers import ProviderKind
from tests.integration.provider_batches.ground import BatchGround
from workers.batching.provider_batches.executor import ProviderBatches

_STRIDE = 5
_UNTOUCHED = frozenset({"read", "request", "model_for", "name"})


class Killed(BaseException):
    """This process is no more."""


class Life:
    """Ends before or after the nth step; every step after that is dead too."""

    def __init__(self, steps: float = float("inf")) -> None:
        self.left = steps
        self.taken = 0

    def step(self) -> None:
        self.taken += 1
        self.left -= 1
        if self.left < 0:
            raise Killed


class Mortal:
    """Whatever is asked of `part` is a step before and a step after."""

    def __init__(self, part: Any, life: Life) -> None:
        self._part = part
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name in _UNTOUCHED:
            return found
        return self._stream(found) if isasyncgenfunction(found) else self._call(found)

    async def __call__(self, *args: Any) -> Any:
        return await self._call(self._part)(*args)

    def _call(self, found: Any) -> Any:
        async def call(*args: Any, **named: Any) -> Any:
            self._life.step()
            outcome = await found(*args, **named)
            self._life.step()
            return outcome

        return call

    def _stream(self, found: Any) -> Any:
        async def stream(*args: Any) -> AsyncIterator[Any]:
            async for each in found(*args):
                self._life.step()
                yield each

        return stream


def born(ground: BatchGround, life: Life) -> ProviderBatches:
    """An executor whose statements, ends of turns and calls are steps of that life."""
    executor = ground.executor(
        book=Mortal(ground.book, life), remember=Mortal(ground.remember(), life)
    )
    for packing in executor._packing:
        packing._provider = Mortal(packing._provider, life)  # type: ignore[assignment]
    for attending in executor._attending.values():
        mortal: Any = Mortal(attending._provider, life)
        attending._provider = attending._taking._provider = mortal
    return executor


async def live(ground: BatchGround, life: Life, *, rounds: int, seconds: float) -> None:
    executor = born(ground, life)
    try:
        for _ in range(rounds):
            ground.clock.advance(seconds)
            try:
                await executor()
            except Killed:
                return
            under_way = executor._under_way.values()
            ends = await asyncio.gather(*under_way, return_exceptions=True)
            if any(isinstance(end, Killed) for end in ends):
                return
    finally:
        await executor.close()


def _first(ground: BatchGround) -> int:
    """Each database and kind begins with another step; together they take most of them."""
    is_anthropic = ground.kind is ProviderKind.ANTHROPIC
    return 2 * ground.database.is_sqlite + is_anthropic


async def steps_of_a_whole_life(ground: BatchGround) -> int:
    whole = Life()
    ids = await ground.accept("one", "two")
    await live(ground, whole, rounds=2, seconds=20)
    assert await ground.states(ids) == {ResponseState.COMPLETED}
    ground.scripted.reset()
    return whole.taken


@pytest.mark.parametrize("kind", [ProviderKind.OPENAI_COMPATIBLE, ProviderKind.ANTHROPIC])
async def test_nothing_is_lost_or_settled_twice_wherever_it_is_killed(
    ground: BatchGround, kind: ProviderKind
) -> None:
    ground.kind = kind
    steps = await steps_of_a_whole_life(ground)
    assert steps > 25
    for step in range(_first(ground), steps, _STRIDE):
        ids = await ground.accept(f"one {step}", f"two {step}")
        await live(ground, Life(step), rounds=2, seconds=20)
        # Another process leads; it knows what is on record, and nothing else.
        await live(ground, Life(), rounds=4, seconds=700)

        records = await ground.records(ids)
        assert {each.state for each in records} == {ResponseState.COMPLETED}, step
        settled = [row for row in await ground.attempts(ids) if row.error_class is None]
        assert Counter(row.message_id for row in settled) == Counter(ids), step
        assert all(each.cost for each in records), step
        calls = ground.scripted.calls.by_content
        most = max(calls[f"{word} {step}"] for word in ("one", "two"))
        # Anthropic's batches cannot be found again: what was lost with one is asked anew.
        assert most <= (1 if kind is ProviderKind.OPENAI_COMPATIBLE else 2), step
        assert await ground.book.enqueued_tokens("first") == 0, step


async def test_it_is_killed_while_it_takes_messages_back(ground: BatchGround) -> None:
    day = 86_400.0
    for step in range(_first(ground), 13, _STRIDE):
        ground.scripted.reset()
        ground.scripted.script_batches(BatchBehaviour(never_ends=True, answered=1))
        ids = await ground.accept(f"one {step}", f"two {step}")
        await live(ground, Life(), rounds=2, seconds=20)
        assert await ground.states(ids) == {ResponseState.IN_PROGRESS}
        await live(ground, Life(step), rounds=1, seconds=day - 3_500)
        await live(ground, Life(), rounds=5, seconds=301)

        # Killed once it was cancelled, its one answer is taken as any other.
        states = {each.id: each.state for each in await ground.records(ids)}
        (only,) = await ground.attempts(ids)
        is_lost = only.error_class == "hedged_away"
        answered = ResponseState.QUEUED if is_lost else ResponseState.COMPLETED
        assert states.pop(only.message_id) is answered, step
        assert [*states.values()] == [ResponseState.QUEUED], step
        assert await ground.book.enqueued_tokens("first") == 0, step
        for each in ids:
            await ground.ledger.cancel(each, tenant_id="ten_1")


async def test_a_batch_whose_answer_was_lost_is_found_again(ground: BatchGround) -> None:
    ground.scripted.script_batches(BatchBehaviour(loses_answer=True, times=1))
    ids = await ground.accept("one", "two")
    executor = ground.executor()
    await ground.rounds(executor, 2)

    assert await ground.states(ids) == {ResponseState.COMPLETED}
    assert ground.scripted.calls.count == 2
    assert len(await ground.batches()) == 1


async def test_results_that_are_cut_are_taken_as_far_as_they_go_and_again_later(
    ground: BatchGround,
) -> None:
    ground.scripted.script_batches(BatchBehaviour(cut_results=True, times=1))
    ids = await ground.accept("one", "two")
    executor = ground.executor()
    await ground.rounds(executor, 4, seconds=30)

    states = [each.state for each in await ground.records(ids)]
    assert sorted(states) == [ResponseState.COMPLETED, ResponseState.IN_PROGRESS]
    # Tried some times, ever more seldom, and then not waited for until its time is over.
    await ground.rounds(executor, 6, seconds=60)
    assert await ground.states(ids) == {ResponseState.COMPLETED}
    (batch,) = [each for each in await ground.batches() if each.state is HandedOverState.PULLED]
    assert batch.look_at - ground.clock.now() > timedelta(seconds=60)


async def test_two_that_both_lead_do_no_harm(ground: BatchGround) -> None:
    ids = await ground.accept(*[f"text {number}" for number in range(20)])
    first, second = ground.executor(), ground.executor()
    for _ in range(3):
        ground.clock.advance(20)
        await first()
        await second()
        await first.idle()
        await second.idle()

    assert await ground.states(ids) == {ResponseState.COMPLETED}
    settled = Counter(row.message_id for row in await ground.attempts(ids) if not row.error_class)
    assert settled == Counter(ids)
    assert ground.scripted.calls.count == 20
