"""The loop's thread opens and closes the lifespan on every way out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar

import pytest

from shared.pool.errors import LifespanFailed, LoopDied
from shared.pool.jobs.job import Job
from shared.pool.jobs.slots import JobSlots
from shared.pool.loop_thread import LoopThread

Lifespan = Callable[[], AbstractAsyncContextManager[None]]
where: ContextVar[str] = ContextVar("where", default="outside")


class Recorder:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.deaths: list[LoopDied] = []
        self.died = threading.Event()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        where.set("inside")
        self.events.append("opened")
        try:
            yield
        finally:
            self.events.append("closed")

    async def execute(self, job: Job) -> None:
        self.events.append(where.get())

    def die(self, loss: LoopDied) -> None:
        self.deaths.append(loss)
        self.died.set()

    def thread(self, lifespan: Lifespan | None = None) -> LoopThread:
        return LoopThread(
            lifespan=lifespan or self.lifespan,
            slots=JobSlots(1),
            execute=self.execute,
            died=self.die,
        )


def test_the_lifespan_is_open_from_start_to_stop() -> None:
    recorder = Recorder()
    thread = recorder.thread()
    thread.start(while_opening=lambda: None)
    assert recorder.events == ["opened"]
    thread.stop(timeout_seconds=60)
    assert recorder.events == ["opened", "closed"]
    assert not thread.is_alive
    assert recorder.deaths == []


def test_a_lifespan_that_fails_to_open_is_reported_with_its_cause() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise OSError("no ledger")
        yield

    thread = Recorder().thread(broken)
    with pytest.raises(LifespanFailed, match="no ledger") as failure:
        thread.start(while_opening=lambda: None)
    assert isinstance(failure.value.__cause__, OSError)
    assert not thread.is_alive


def test_a_shutdown_while_the_lifespan_opens_ends_the_thread() -> None:
    cancelled = threading.Event()

    @asynccontextmanager
    async def endless() -> AsyncIterator[None]:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        yield

    def give_up() -> None:
        raise SystemExit(0)

    thread = Recorder().thread(endless)
    with pytest.raises(SystemExit):
        thread.start(while_opening=give_up)
    assert cancelled.is_set()
    assert not thread.is_alive


def test_a_loop_that_ends_by_itself_is_reported() -> None:
    recorder = Recorder()

    @asynccontextmanager
    async def falling() -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(fall())
            yield

    async def fall() -> None:
        raise RuntimeError("a part of the lifespan fell over")

    recorder.thread(falling).start(while_opening=lambda: None)
    assert recorder.died.wait(60)
    assert "the application's lifespan fell over" in repr(recorder.deaths[0])


def test_stopping_twice_is_harmless() -> None:
    thread = Recorder().thread()
    thread.start(while_opening=lambda: None)
    thread.stop(timeout_seconds=60)
    thread.stop(timeout_seconds=60)
