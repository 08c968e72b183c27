"""One link of a chain: whom it calls, how often and with what prompt, and who judges answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final, NamedTuple, Protocol

import msgspec

from shared.breakers.board import BreakerBoard
from shared.breakers.breaker import Breaker
from shared.breakers.reading import CallOutcome
from shared.settings.deployment import deployment_name
from shared.telemetry.logs import get_logger
from workers.providers.deployments.pool import DeploymentPool
from workers.providers.deployments.seat import NoSeat, Seat
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError
from workers.providers.provider import Prompt, Provider
from workers.providers.walking.funding import DEFAULT_OUTPUT_TOKENS

_SAID_AGAIN_SECONDS: Final = 60.0
"""A provider that fails every other time would fill the log with its changes."""

_USUAL_SHARE: Final = 0.6
"""Of what was too long, where the provider does not say how much it has room for."""
_MOST_FITTINGS: Final = 2
"""To figures: what we count is not quite what the provider counts."""

_Model = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter; the tries of a provider depend on how it failed."""

    max_tries: int = 3
    first_backoff_seconds: float = 0.5
    longest_backoff_seconds: float = 8.0

    def wait_after(
        self,
        error: ProviderError,
        *,
        tries: int,
        took_seconds: float,
        time_left_seconds: float,
        random: Random,
        elsewhere: bool | None = None,
    ) -> float | None:
        """Seconds to wait before the same provider is tried again; None to go on without it.

        `Retry-After` is a floor, with jitter on top so that not everybody returns at once. A wait
        that does not fit into the time left is not begun, and a timeout is not repeated when the
        time left is shorter than what it took.

        Of a provider with deployments, `elsewhere` says whether another one is asked now: that is
        done at once, whatever the tries where the failed call cost nothing. Each of them has its
        own `Retry-After`, so it is no floor for all.
        """
        if not (elsewhere and not error.may_be_billed):
            if tries >= min(self.max_tries, error.error_class.tries):
                return None
            if error.error_class is ErrorClass.TIMEOUT and time_left_seconds < took_seconds:
                return None
        if elsewhere:
            return 0.0
        backoff = min(self.longest_backoff_seconds, self.first_backoff_seconds * 2 ** (tries - 1))
        floor = (error.retry_after_seconds or 0.0) if elsewhere is None else 0.0
        wait = floor + random.uniform(0.0, backoff)
        return wait if wait < time_left_seconds else None


class ProviderLog:
    """Says when a provider begins to fail, fails by another class, or answers again.

    Of one model each of these at most once a minute. What a provider wrote is not said: it may
    quote a prompt. `forebay providers` shows it.
    """

    def __init__(self) -> None:
        self._failing: dict[_Model, ErrorClass] = {}
        self._said: dict[tuple[_Model, ErrorClass | None], float] = {}
        self._log = get_logger(__name__)

    def failed(
        self, provider: str, model: str, error_class: ErrorClass, status: int | None, *, now: float
    ) -> None:
        """A call ended in this class; `now` is any clock's seconds, always the same clock's."""
        about = provider, model
        before = self._failing.get(about)
        if before is error_class:
            return
        self._failing[about] = error_class
        if self._is_new(about, error_class, now):
            self._log.warning(
                "provider_fails",
                provider=provider,
                model=model,
                error_class=error_class,
                status=status,
                before=before or "answers",
            )

    def answered(self, provider: str, model: str, *, now: float) -> None:
        """A call was answered."""
        about = provider, model
        before = self._failing.pop(about, None)
        if before is not None and self._is_new(about, None, now):
            self._log.warning("provider_answers", provider=provider, model=model, before=before)

    def _is_new(self, about: _Model, error_class: ErrorClass | None, now: float) -> bool:
        said = self._said.get((about, error_class))
        if said is not None and now - said < _SAID_AGAIN_SECONDS:
            return False
        self._said[about, error_class] = now
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    provider: Provider
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breakers: BreakerBoard | None = None
    """Where the breakers of its models are; None for what is always called."""
    most_output_tokens: int = DEFAULT_OUTPUT_TOKENS
    """What an answer is limited to where it must be paid ahead and the caller names no limit."""
    log: ProviderLog = field(default_factory=ProviderLog)
    is_human: bool = False
    """Whether people answer here: where an answer goes that no machine shall try again."""
    is_stopgap: bool = False
    """Whether it answers worse than the others: asked when they cannot, never to be faster."""
    deployments: DeploymentPool | None = None
    """The provider itself, where its models are asked in several places."""
    deployment: str | None = None
    """The place of one call, where it is one of several."""

    @property
    def is_model(self) -> bool:
        """Whether a model answers here, rather than a rule or a human."""
        return self.breakers is not None

    @property
    def label(self) -> str:
        """Whom it calls, in one word: `provider`, or `provider@deployment`."""
        name = self.provider.name
        return name if self.deployment is None else deployment_name(name, self.deployment)

    def seated(self, seat: Seat | NoSeat) -> AdmittedCall:
        """One call at one of its deployments."""
        return AdmittedCall(replace(self, provider=seat, deployment=seat.deployment), seat)

    def breaker(self, requested_model: str) -> Breaker | None:
        """The breaker in front of the model that would be called for the requested one.

        None where nothing is in front of it, and where each of its deployments has its own.
        """
        if self.breakers is None or self.deployments is not None:
            return None
        model = self.provider.model_for(requested_model)
        return self.breakers.breaker(self.provider.name, model)


class Leave(Protocol):
    """Leave to make one call. Whoever was given one says how it ended, whatever came of it."""

    @property
    def is_probe(self) -> bool:
        """Whether this call finds out if what it calls is back."""

    async def end(self, outcome: CallOutcome) -> None:
        """Count the call."""


class AdmittedCall(NamedTuple):
    """Whom one call goes to, and the leave to make it; None where nobody has to be asked."""

    link: ChainLink
    permit: Leave | None


Shorten = Callable[[Prompt, float], Awaitable[Prompt | None]]
"""Makes a prompt with that share of the tokens of one that is too long for a model; None when so
much cannot go."""


class Shortening:
    """The shorter prompts of a turn, each made once, when a provider first needs it."""

    def __init__(self, prompt: Prompt, shorten: Shorten | None) -> None:
        self._prompt = prompt
        self._shorten = shorten
        self._shortened: dict[float, Prompt | None] = {}

    async def prompt(self, share: float) -> Prompt | None:
        """With that share of the whole; None where nobody shortens it, or so much cannot go."""
        if self._shorten is not None and share not in self._shortened:
            self._shortened[share] = await self._shorten(self._prompt, share)
        return self._shortened.get(share)


class Phrasing:
    """What one provider is asked: shortened, with a complaint, or both."""

    def __init__(self, prompt: Prompt, shortening: Shortening) -> None:
        self.prompt = prompt
        self._shortening = shortening
        self._share = 1.0
        self._fittings = 0
        self._complaint: str | None = None

    async def shorten(self, room: float | None) -> bool:
        """Ask with less from now on; False when there is no shorter prompt.

        `room` is the share of the last prompt that the provider says it has room for. Where it
        does not say, the prompt is shortened once.
        """
        if self._fittings >= (1 if room is None else _MOST_FITTINGS):
            return False
        self._share *= _USUAL_SHARE if room is None else room
        self._fittings += 1
        shortened = await self._shortening.prompt(self._share)
        if shortened is None:
            return False
        self.prompt = _with_complaint(shortened, self._complaint)
        return True

    def complain(self, complaint: str | None) -> bool:
        """Ask with the judge's complaint from now on; False when there is none, or was one."""
        if complaint is None or self._complaint is not None:
            return False
        self._complaint = complaint
        self.prompt = _with_complaint(self.prompt, complaint)
        return True


def _with_complaint(prompt: Prompt, complaint: str | None) -> Prompt:
    """The prompt with the complaint as the last note.

    The rejected answer is not repeated: not every provider takes a prompt that ends with one.
    """
    return (
        prompt
        if complaint is None
        else msgspec.structs.replace(prompt, notes=(*prompt.notes, complaint))
    )
