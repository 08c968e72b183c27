"""How a call would end: as it did on the day, or as one of the same model did about then."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import UTC, datetime
from random import Random
from typing import Final

from msgspec.structs import replace

from deploy.replay.day.recorded_day import EPOCH, RecordedAttempt, RecordedDay, RecordedMessage
from deploy.replay.world.virtual_message import VirtualMessage
from shared.costs.price import TokenCount, nano_dollars
from shared.costs.prices import Prices
from shared.settings import Settings

_NEAREST: Final = 16
"""Calls before and after the moment among which one is drawn."""
_INSTANT: Final = 0.0


class _KnownCalls:
    """Calls in the order of their time."""

    def __init__(self) -> None:
        self._all: list[tuple[float, RecordedAttempt]] = []
        self._times: list[float] = []

    def add(self, at: float, attempt: RecordedAttempt) -> None:
        self._all.append((at, attempt))

    def close(self) -> None:
        self._all.sort(key=lambda each: each[0])
        self._times = [at for at, _ in self._all]

    def near(self, at: float, random: Random) -> RecordedAttempt:
        place = bisect_left(self._times, at)
        low, high = max(0, place - _NEAREST), min(len(self._all), place + _NEAREST)
        return self._all[random.randrange(low, high)][1]


class Calls:
    """What is known of every model that was called on the day.

    `borrowed` counts, by provider and model, the calls of a model that the day does not know: it
    has the times and ends of all models', and its own price.
    """

    def __init__(self, day: RecordedDay, settings: Settings, random: Random) -> None:
        self._random = random
        self._prices = Prices(settings.costs.prices, settings.providers)
        self._by_model: defaultdict[tuple[str, str], _KnownCalls] = defaultdict(_KnownCalls)
        self._by_provider: defaultdict[str, _KnownCalls] = defaultdict(_KnownCalls)
        self._all = _KnownCalls()
        self._models: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._answers: dict[str, RecordedAttempt] = {}
        self.borrowed: Counter[tuple[str, str]] = Counter()
        for message in day.messages:
            for attempt in message.attempts:
                self._learn(message, attempt)
        for pool in (*self._by_model.values(), *self._by_provider.values(), self._all):
            pool.close()
        self._free = {each.name for each in settings.providers if not each.kind.is_model}

    @property
    def providers(self) -> list[str]:
        """Those that were called, in the order of their first call."""
        return list(self._by_provider)

    def is_known(self, provider: str) -> bool:
        return provider in self._by_provider

    def was_asked(self, provider: str, asked: str) -> bool:
        """Whether messages that named this model came to it."""
        return (provider, asked) in self._models

    def usual_model(self, provider: str, asked: str) -> str | None:
        """What it called for messages that named this model."""
        models = self._models.get((provider, asked))
        return models.most_common(1)[0][0] if models else None

    def end_of(
        self, job: VirtualMessage, provider: str, model: str | None, at: float
    ) -> RecordedAttempt:
        """The next call of this provider for this message; `model` None is what it called."""
        for place, own in enumerate(job.unused):
            if own.provider == provider and model in (None, own.model):
                return job.unused.pop(place)
        same = self._answers.get(job.message.source or "")
        if same is not None and same.provider == provider and model in (None, same.model):
            return same  # to the same question as the stored answer that it was given
        name = model or self.usual_model(provider, job.message.asked) or ""
        pool = self._by_model.get((provider, name)) or (
            self._by_provider.get(provider) if model is None else None
        )
        if pool is None:
            return self._borrowed(job, provider, name, at)
        return self._for(job, pool.near(at, self._random), provider, name or None)

    def _borrowed(
        self, job: VirtualMessage, provider: str, model: str, at: float
    ) -> RecordedAttempt:
        if provider in self._free or not self._models:
            return RecordedAttempt(provider, model, 0.0, _INSTANT)
        self.borrowed[provider, model] += 1
        return self._for(job, self._all.near(at, self._random), provider, model)

    def _for(
        self, job: VirtualMessage, drawn: RecordedAttempt, provider: str, model: str | None
    ) -> RecordedAttempt:
        """Another message's call, made this one's: its question is as long as its own."""
        own = next((each for each in job.message.attempts if each.input_tokens), None)
        if own is None and model in (None, drawn.model):
            return drawn
        read = own.input_tokens if own else drawn.input_tokens
        cached = min(read, own.cached_tokens if own else drawn.cached_tokens)
        written = own.output_tokens if own and not own.error else drawn.output_tokens
        if drawn.error:
            read, written, cached = drawn.input_tokens, drawn.output_tokens, drawn.cached_tokens
        name = model or drawn.model
        tokens = TokenCount(read, written, cached_tokens=cached)
        cost = self._prices.cost(provider, name, tokens, at=_noon(job))
        return replace(
            drawn,
            provider=provider,
            model=name,
            input_tokens=read,
            cached_tokens=cached,
            output_tokens=written,
            cost=None if cost is None else nano_dollars(cost),
        )

    def _learn(self, message: RecordedMessage, attempt: RecordedAttempt) -> None:
        at = message.at + (message.waited or 0.0) + attempt.offset
        for pool in (
            self._by_model[attempt.provider, attempt.model],
            self._by_provider[attempt.provider],
            self._all,
        ):
            pool.add(at, attempt)
        self._models[attempt.provider, message.asked][attempt.model] += 1
        if attempt.error is None:
            self._answers[message.id] = attempt


def _noon(job: VirtualMessage) -> datetime:
    return datetime.fromtimestamp(EPOCH + job.message.at, UTC)
