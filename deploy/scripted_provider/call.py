"""The log of calls: what arrived, when, and how it ended."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

from deploy.scripted_provider.behaviour import CalledTool

REMEMBERED_CALLS = 100_000


class Wire(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    EMBEDDINGS = "embeddings"


class Ending(StrEnum):
    RUNNING = "running"
    SERVED = "served"
    CUT_BY_CLIENT = "cut_by_client"
    CUT_BY_SCRIPT = "cut_by_script"


class ScriptedCall(msgspec.Struct):
    wire: Wire
    model: str
    content: str
    """The last user message."""
    stream: bool
    at: float
    """Unix time at which the call was read."""
    headers: dict[str, str]
    """Only `traceparent` and whether a key came along, never the key."""
    instructions: str = ""
    """Its system messages."""
    tools: tuple[str, ...] = ()
    """Names of the tools it offers."""
    called: CalledTool | None = None
    """The tool that it would call by itself."""
    outputs: tuple[str, ...] = ()
    """What the tools gave that the turn before called."""
    images: int = 0
    """In the last user message."""
    breakpoints: int = 0
    """How often it says that what was read so far may be kept."""
    top_k: int | None = None
    service_tier: str | None = None
    """The tier that it asks for, or that its batch is served at."""
    batch: str = ""
    """The id of the batch that it is an item of."""
    behaviour: str = ""
    ending: Ending = Ending.RUNNING
    seconds: float | None = None


class CallLog:
    """Counts every call and remembers the latest ones in full."""

    def __init__(self) -> None:
        self._calls: deque[ScriptedCall] = deque(maxlen=REMEMBERED_CALLS)
        self.count = 0
        self.cut_by_client = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.by_model: Counter[str] = Counter()
        self.by_content: Counter[str] = Counter()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def begin(self, call: ScriptedCall) -> None:
        self._calls.append(call)
        self.count += 1
        self.by_model[call.model] += 1
        self.by_content[call.content] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._wake()

    def end(self, call: ScriptedCall, ending: Ending) -> None:
        call.ending = ending
        call.seconds = time.time() - call.at
        self.in_flight -= 1
        self.cut_by_client += ending is Ending.CUT_BY_CLIENT
        self._wake()

    async def until(self, is_so: Callable[[], bool], *, timeout_seconds: float = 60.0) -> None:
        """Wait until a condition on this log holds; `TimeoutError` when it does not in time."""
        if is_so():
            return
        woken = asyncio.get_running_loop().create_future()
        self._waiting.append((is_so, woken))
        async with asyncio.timeout(timeout_seconds):
            await woken

    def _wake(self) -> None:
        if not self._waiting:
            return
        for is_so, woken in self._waiting:
            if not woken.done() and is_so():
                woken.set_result(None)
        self._waiting = [(is_so, woken) for is_so, woken in self._waiting if not woken.done()]

    def clear(self) -> None:
        """Forget what was; calls that still run stay in flight."""
        self._calls.clear()
        self.by_model.clear()
        self.by_content.clear()
        self.count = self.cut_by_client = 0
        self.most_in_flight = self.in_flight

    def __iter__(self) -> Iterator[ScriptedCall]:
        return iter(self._calls)

    def __len__(self) -> int:
        return self.count

    def summary(self, *, latest: int = 1000) -> dict[str, object]:
        """What `GET /calls` returns."""
        return {
            "count": self.count,
            "cut_by_client": self.cut_by_client,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "by_model": self.by_model,
            "by_content": self.by_content,
            "calls": list(self._calls)[-latest:] if latest else [],
        }
