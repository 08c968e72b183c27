"""The chain of providers: whom to ask next, and which breaker stands before whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from deploy.replay.day.recorded_day import RecordedAttempt
from deploy.replay.world.calls import Calls
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from shared.breakers.reading import BreakerState, CallOutcome
from shared.breakers.rules import LocalBreakers
from shared.settings import Settings
from workers.providers.error_class import Blame, ErrorClass
from workers.providers.walking.call import SHORTEST_FAIR_CALL_SECONDS
from workers.providers.walking.link import RetryPolicy

_CLOSED: Final = BreakerState.CLOSED
_CLASSES: Final = {each.value: each for each in ErrorClass}


@dataclass(frozen=True, slots=True)
class Link:
    """One provider for a message that names a model; `model` None is what it called on the day."""

    provider: str
    model: str | None
    is_model: bool
    max_tries: int

    @property
    def breaker(self) -> str:
        return f"{self.provider}/{self.model or ''}"


class VirtualChain:
    """The links for each model that messages name, and the real rules of their breakers.

    A model that messages of the kind never came to on the day is left out for them, as it was then;
    one that the day does not know at all is asked in its place.
    """

    def __init__(self, settings: Settings, calls: Calls, time: VirtualTime, random: Random) -> None:
        self._settings = settings
        self._calls = calls
        self._breakers = LocalBreakers(settings.breakers, time)
        self._retry = RetryPolicy()
        self._random = random
        self.links = cache(self._links)
        self.opened: dict[str, float] = {}
        """When each breaker opened first."""
        self._probing: set[str] = set()
        self._time = time

    def permit(self, job: VirtualMessage, link: Link) -> str | None:
        """To be given back with `end`; None where its breaker refuses."""
        if not link.is_model:
            return ""
        breaker = self._breakers.breaker(link.breaker)
        if breaker.report("", ()).state is _CLOSED:
            return ""
        permit = job.message.id
        return permit if breaker.begin_probe(permit).granted else None

    def end(self, link: Link, permit: str, call: RecordedAttempt, *, seconds_given: float) -> None:
        """Tell the breaker how a call ended."""
        if not link.is_model:
            return
        breaker = self._breakers.breaker(link.breaker)
        health = _health(call, seconds_given)
        if permit:
            reading = breaker.end_probe(permit, health)
        elif health is CallOutcome.NEUTRAL:
            return
        else:
            reading = breaker.report("f" if health is CallOutcome.FAILURE else "s", ())
        if reading.state is BreakerState.OPEN:
            self.opened.setdefault(link.breaker, self._time.seconds)

    def wait_after(self, link: Link, call: RecordedAttempt, *, tries: int) -> float | None:
        """Seconds until the same provider is asked again; None to go on without it."""
        failure = _CLASSES.get(call.error or "")
        if failure is None or tries >= min(link.max_tries, failure.tries):
            return None
        retry = self._retry
        longest = retry.first_backoff_seconds * 2 ** (tries - 1)
        return self._random.uniform(0.0, min(retry.longest_backoff_seconds, longest))

    def lets(self, message_id: str, asked: str) -> bool:
        """Whether a message that can wait may go: a model would answer it, or it may probe."""
        models = [link for link in self.links(asked) if link.is_model]
        states = {self._breakers.breaker(each.breaker).report("", ()).state for each in models}
        if not models or _CLOSED in states:
            return True
        if BreakerState.HALF_OPEN not in states:
            return False
        if len(self._probing - {message_id}) < self._settings.breakers.probes:
            self._probing.add(message_id)
            return True
        return False

    def forget(self, message_id: str) -> None:
        """It has ended, and probes no more."""
        self._probing.discard(message_id)

    def _links(self, asked: str) -> tuple[Link, ...]:
        calls, links = self._calls, []
        for each in self._settings.providers:
            is_model = each.kind.is_model
            if is_model and calls.is_known(each.name) and not calls.was_asked(each.name, asked):
                continue
            usual = calls.usual_model(each.name, asked)
            model = usual if usual in each.named_models else each.model
            if model is None and each.named_models:
                model = each.named_models[0]
            links.append(Link(each.name, model, is_model, each.max_tries))
        if not links:  # the built-in chain, or one of which nothing is known here
            links = [Link(name, None, False, 1) for name in calls.providers]
        return tuple(links)


def _health(call: RecordedAttempt, seconds_given: float) -> CallOutcome:
    """What it says of the provider; of a failed stream nobody knows how far it had come."""
    if call.error is None:
        return CallOutcome.SUCCESS
    failure = _CLASSES.get(call.error)
    if failure is None or failure.blame is Blame.NEVER:
        return CallOutcome.NEUTRAL
    if failure.blame is Blame.WITH_TIME_ENOUGH and seconds_given < SHORTEST_FAIR_CALL_SECONDS:
        return CallOutcome.NEUTRAL
    return CallOutcome.FAILURE
