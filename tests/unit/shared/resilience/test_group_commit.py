"""Whatever the interleaving, everybody hears the outcome of his own item and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.resilience.group_commit import GroupCommit

Flush = Callable[[list[int]], Awaitable[Sequence[int | BaseException]]]


class Recorder:
    """A flush that notes its groups; negative items fail by themselves, 13 fails its group."""

    def __init__(self, *, yields: Sequence[int] = ()) -> None:
        self.groups: list[list[int]] = []
        self.running = self.most_running = 0
        self._yields = list(yields)

    async def flush(self, items: list[int]) -> list[int | BaseException]:
        self.groups.append(items)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for _ in range(self._yields.pop() if self._yields else 1):
                await asyncio.sleep(0)
            if 13 in items:
                raise OSError("the whole group")
            return [ValueError(item) if item < 0 else item * 2 for item in items]
        finally:
            self.running -= 1

    @property
    def flushed(self) -> list[int]:
        return [item for group in self.groups for item in group]


@given(
    waves=st.lists(st.lists(st.integers(-9, 12), max_size=12), max_size=6),
    limit=st.integers(1, 5),
    concurrency=st.integers(1, 3),
    crowd=st.integers(1, 4),
    yields=st.lists(st.integers(0, 5), max_size=20),
)
@settings(deadline=None, max_examples=150)
def test_everybody_hears_of_his_own_item_and_nothing_is_lost(
    waves: list[list[int]], limit: int, concurrency: int, crowd: int, yields: list[int]
) -> None:
    recorder = Recorder(yields=yields)

    async def run() -> None:
        group = GroupCommit(recorder.flush, limit=limit, concurrency=concurrency, crowd=crowd)
        submitted = []
        for wave in waves:
            submitted += [(item, asyncio.ensure_future(group.submit(item))) for item in wave]
            await asyncio.sleep(0)
        await asyncio.gather(*(task for _, task in submitted), return_exceptions=True)
        for item, task in submitted:
            if item < 0:
                assert isinstance(task.exception(), ValueError)
                assert task.exception().args == (item,)
            else:
                assert task.result() == item * 2
        await group.close()

    asyncio.run(run())
    posted = [item for wave in waves for item in wave]
    assert sorted(recorder.flushed) == sorted(posted)
    assert all(0 < len(group) <= limit for group in recorder.groups)
    assert recorder.most_running <= concurrency


@pytest.mark.parametrize(("waiting", "groups"), [(2, [[0], [1, 2]]), (3, [[0], [1, 2, 3]])])
async def test_a_group_beside_another_waits_until_it_is_a_crowd(
    waiting: int, groups: list[list[int]]
) -> None:
    begun: list[list[int]] = []
    go_on = asyncio.Event()

    async def flush(items: list[int]) -> list[int]:
        begun.append(items)
        await go_on.wait()
        return items

    group: GroupCommit[int, int] = GroupCommit(flush, concurrency=2, crowd=3)
    handed_in = [group.submit(0)]
    await asyncio.sleep(0)
    handed_in += [group.submit(item) for item in range(1, waiting + 1)]
    await asyncio.sleep(0)
    assert begun == (groups if waiting == 3 else groups[:1])
    go_on.set()
    await asyncio.gather(*handed_in)
    assert begun == groups


@given(
    items=st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=20),
    limit=st.integers(1, 4),
)
@settings(deadline=None, max_examples=80)
def test_who_leaves_takes_nobody_with_him(items: list[tuple[int, bool]], limit: int) -> None:
    recorder = Recorder()

    async def run() -> None:
        group = GroupCommit(recorder.flush, limit=limit)
        tasks = [asyncio.ensure_future(group.submit(item)) for item, _ in items]
        await asyncio.sleep(0)
        for (_, leaves), task in zip(items, tasks, strict=True):
            if leaves:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for (item, leaves), task in zip(items, tasks, strict=True):
            assert task.cancelled() if leaves else task.result() == item * 2
        await group.close()

    asyncio.run(run())
    assert recorder.flushed == [item for item, _ in items], "in order of arrival, all of them"


async def test_what_is_submitted_in_one_turn_of_the_loop_travels_together() -> None:
    recorder = Recorder()
    group = GroupCommit(recorder.flush)
    await asyncio.gather(*map(group.submit, range(10)))
    assert recorder.groups == [list(range(10))]


async def test_a_lone_item_does_not_wait_for_company() -> None:
    recorder = Recorder()
    group = GroupCommit(recorder.flush)
    assert [await group.submit(number) for number in range(3)] == [0, 2, 4]
    assert recorder.groups == [[0], [1], [2]]


async def test_an_error_of_the_flush_is_everybodys_and_the_next_group_goes_on() -> None:
    group = GroupCommit(Recorder().flush)
    outcomes = await asyncio.gather(*map(group.submit, [1, 13, 2]), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OSError] * 3
    assert await group.submit(4) == 8


async def test_too_few_outcomes_are_an_error_and_nobody_hangs() -> None:
    async def forgetful(items: list[int]) -> list[int]:
        return items[1:]

    group = GroupCommit(forgetful)
    outcomes = await asyncio.gather(*map(group.submit, [1, 2]), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RuntimeError] * 2


async def test_closing_writes_what_waits_and_refuses_what_comes_after() -> None:
    recorder = Recorder()
    group = GroupCommit(recorder.flush, limit=1)
    waiting = [asyncio.ensure_future(group.submit(number)) for number in range(5)]
    await asyncio.sleep(0)
    await group.close()
    assert [task.result() for task in waiting] == [0, 2, 4, 6, 8]
    with pytest.raises(Unavailable):
        await group.submit(5)


async def test_a_full_group_refuses_instead_of_growing() -> None:
    gate = asyncio.Event()

    async def stuck(items: list[int]) -> list[int]:
        await gate.wait()
        return items

    group = GroupCommit(stuck, limit=1, capacity=2)
    waiting = [asyncio.ensure_future(group.submit(0))]
    await asyncio.sleep(0.001)
    waiting += [asyncio.ensure_future(group.submit(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await group.submit(3)
    assert refused.value.retry_after_seconds == 1.0
    gate.set()
    assert await asyncio.gather(*waiting) == [0, 1, 2]


async def test_what_is_handed_in_is_done_though_nobody_waits() -> None:
    recorder = Recorder()
    group: GroupCommit[int, int] = GroupCommit(recorder.flush)
    told = [group.submit(number) for number in (1, 2)]
    await group.close()

    assert recorder.groups == [[1, 2]]
    assert [each.result() for each in told] == [2, 4]
    with pytest.raises(Unavailable):
        group.submit(3)


async def test_what_is_told_keeps_its_turn_and_its_failure_to_itself() -> None:
    recorder = Recorder()
    group: GroupCommit[int, int] = GroupCommit(recorder.flush)
    group.tell(-1)
    waiting = group.submit(2)
    group.tell(3)
    await group.close()

    assert recorder.groups == [[-1, 2, 3]]
    assert waiting.result() == 4
    with pytest.raises(Unavailable):
        group.tell(4)


@pytest.mark.parametrize("patience_seconds", [0.01, inf])
async def test_a_group_waits_for_company_as_long_as_it_may(patience_seconds: float) -> None:
    held, groups = asyncio.Event(), list[list[int]]()

    async def flush(items: list[int]) -> list[int]:
        groups.append(items)
        if items == [1]:
            await held.wait()
        return items

    group = GroupCommit[int, int](flush, concurrency=2, crowd=3, patience_seconds=patience_seconds)
    first = group.submit(1)
    await asyncio.sleep(0)
    others = [group.submit(2), group.submit(3)]
    await asyncio.wait(others, timeout=0.1 if patience_seconds == inf else 60)
    assert groups == ([[1]] if patience_seconds == inf else [[1], [2, 3]])
    held.set()
    assert await asyncio.gather(first, *others) == [1, 2, 3]
    await group.close()
