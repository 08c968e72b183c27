"""A scripted provider that outlives the event loop of a single test."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, Self

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.call import Ending, ScriptedCall
from deploy.scripted_provider.provider import ScriptedProvider


class ProviderThread:
    """Serves from a thread of its own; tests tell their calls apart by what the question says."""

    def __init__(self) -> None:
        self._provider = ScriptedProvider()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        """The base URL of an OpenAI client."""
        return self._provider.openai_url

    def behave(self, kind: Kind, *, contains: str, **parameters: Any) -> None:
        """How to treat the calls whose question contains this."""
        rule = Behaviour(kind=kind, **parameters)
        self._run(self._script(rule, contains))

    def reset(self) -> None:
        """Forget the script and the calls."""
        self._run(self._forget())

    def calls(self, contains: str) -> list[ScriptedCall]:
        """The calls whose question contains this, in order."""
        return list(self._run(self._calls(contains)))

    @property
    def count(self) -> int:
        """How many calls there were in all."""
        return self._provider.calls.count

    def calls_by_question(self) -> dict[str, int]:
        """How often each question was asked."""
        return dict(self._run(self._questions()))

    def wait_for_calls(
        self, contains: str, count: int = 1, *, seconds: float = 60
    ) -> list[ScriptedCall]:
        """The calls, as soon as there are that many."""
        return self._wait(lambda: self.calls(contains), count, contains, seconds)

    def wait_for_cut(self, contains: str, *, seconds: float = 60) -> ScriptedCall:
        """The first call that its client hung up on."""

        def cut() -> list[ScriptedCall]:
            return [c for c in self.calls(contains) if c.ending is Ending.CUT_BY_CLIENT]

        return self._wait(cut, 1, f"{contains} to be cut", seconds)[0]

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._provider.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._provider.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    def _wait(self, found: Any, count: int, what: str, seconds: float) -> list[ScriptedCall]:
        deadline = time.monotonic() + seconds
        while len(calls := found()) < count:
            assert time.monotonic() < deadline, f"{len(calls)} of {count} calls for {what!r}"
            time.sleep(0.01)
        return list(calls)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _forget(self) -> None:
        self._provider.reset()

    async def _questions(self) -> dict[str, int]:
        return dict(self._provider.calls.by_content)

    async def _script(self, rule: Behaviour, contains: str) -> None:
        self._provider.script(rule, contains=contains)

    async def _calls(self, contains: str) -> list[ScriptedCall]:
        return [call for call in self._provider.calls if contains in call.content]
