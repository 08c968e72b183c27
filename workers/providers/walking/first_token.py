"""The moment at which an answer begins: on record for every stream, learned from for hedging."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from shared.token_count import text_size
from workers.providers.attempt import StartedAttempt
from workers.providers.failures import ProviderTimeoutError
from workers.providers.provider import TextSink
from workers.providers.walking.lateness import Hedging, Kind


class FirstToken:
    """Stands between a provider and whoever wants its text, for as long as one call runs."""

    def __init__(
        self, attempt: StartedAttempt, sink: TextSink | None, *, hedging: Hedging | None
    ) -> None:
        self._attempt = attempt
        self._sink = sink
        self._hedging = hedging
        self._kind: Kind = (attempt.provider, attempt.model, sink is not None)
        self._is_heard = False

    @property
    def sink(self) -> TextSink:
        """Where the provider puts its text: what has come of it is counted in any case."""
        return self._pass_on

    def hear(self) -> None:
        """The first piece is here; a whole answer is one piece."""
        if self._is_heard:
            return
        self._is_heard = True
        if self._sink is not None:
            self._attempt.hear_token()
        if self._hedging is not None:
            self._hedging.learn(self._kind, self._attempt.seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_heard or self._hedging is None:
            return
        if isinstance(error, asyncio.CancelledError | ProviderTimeoutError):
            self._hedging.learn_at_least(self._kind, self._attempt.seconds)

    async def _pass_on(self, piece: str) -> None:
        self._attempt.heard_size += text_size(piece)
        if self._sink is not None:
            self.hear()
            await self._sink(piece)
