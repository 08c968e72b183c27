"""The scripted provider as something to start and stop: in a test, a demo, or on its own."""

from __future__ import annotations

from typing import Self

import msgspec
from aiohttp import web

from deploy.scripted_provider.batches.batch_script import BatchBehaviour, BatchRule
from deploy.scripted_provider.behaviour import Behaviour
from deploy.scripted_provider.call import CallLog
from deploy.scripted_provider.script import Match, ScriptRule
from deploy.scripted_provider.server import ScriptedServer

_SHUTDOWN_SECONDS = 0.2


class ScriptedProvider:
    """A running scripted server: `async with ScriptedProvider() as provider`.

    Port 0 takes a free one; `url` is known once it runs. Calls that hang are cut at its end.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._server = ScriptedServer()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The root; the base URL of an Anthropic client."""
        return f"http://{self._host}:{self._port}"

    @property
    def openai_url(self) -> str:
        """The base URL of an OpenAI client."""
        return f"{self.url}/v1"

    @property
    def calls(self) -> CallLog:
        return self._server.calls

    def script(self, behave: Behaviour, **match: object) -> None:
        """Add a rule behind those there are; the first that takes a call decides.

        It takes the calls that fit the given fields of Match; raises ValidationError for others.
        """
        rule = ScriptRule(behave=behave, match=msgspec.convert(match, Match))
        self._server.script.add([rule])

    def script_batches(self, behave: BatchBehaviour, *, model: str | None = None) -> None:
        """Add a rule for batches, of one model or of any; the first that takes one decides."""
        self._server.batches.script.add([BatchRule(behave, model)])

    def end_batches(self) -> None:
        """Those under way have ended at the next look at them."""
        self._server.batches.end_all()

    def reset(self) -> None:
        """Forget the scripts, the calls and the batches."""
        self._server.script.clear()
        self._server.calls.clear()
        self._server.batches.clear()

    async def start(self) -> None:
        self._runner = web.AppRunner(
            self._server.app(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
