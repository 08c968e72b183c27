"""One message on its way over the deployments of a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from pybreaker import CircuitBreakerError

from shared.clock import Clock
from workers.providers.deployments.affinity import affinity_key, wanted_places
from workers.providers.deployments.loads import CallWish, DeploymentGroup, LoadLease, LoadWait
from workers.providers.deployments.members import DeploymentSet
from workers.providers.deployments.seat import NoSeat, Seat, refuses_key
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError, UnauthorisedError
from workers.providers.limiting.limited import SHARE_FOR_WAITING, limited_tokens
from workers.providers.provider import Prompt

_ELSEWHERE: Final = frozenset(
    {
        ErrorClass.CONNECTION,
        ErrorClass.SERVER_ERROR,
        ErrorClass.RATE_LIMITED,
        ErrorClass.TIMEOUT,
        ErrorClass.CUT_STREAM,
        ErrorClass.MALFORMED_ANSWER,
        ErrorClass.UNAUTHORISED,
        ErrorClass.MISCONFIGURED,
        ErrorClass.BUSY,
    }
)
"""What says something of one deployment, and nothing of the others."""


_BACKOFF_SECONDS: Final = 0.5


class DeploymentRoute:
    """Gives each call of a message a seat, and remembers which deployments failed it."""

    def __init__(
        self,
        members: DeploymentSet,
        *,
        clock: Clock,
        random: Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._members = members
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._failed = 0
        self._barred = 0
        """Those that this message is put to no more: they refused our key, or rest too long."""
        self._last = 0
        self._has_kept = 0
        """The one that has just read the prompt."""
        self._errors: list[ProviderError] = []
        self._doubted: list[int] = []
        self._model = ""
        self._wanted: tuple[int, ...] | None = None

    async def seat(self, prompt: Prompt, *, seconds: float) -> Seat | NoSeat:
        """Where the call is made: of those that have not failed the message, the one that has
        kept its beginning, else the one with the least to do.

        Waits for at most half of `seconds` where limits or rests leave none free. Raises
        CircuitBreakerError where no breaker lets anybody call.
        """
        model = self._model = self._members.model_for(prompt.model)
        patient_until = self._clock.monotonic() + seconds * SHARE_FOR_WAITING
        refusing = 0
        while True:
            wish = self._wish(prompt, self._left_out(model, refusing), probes=not self._last)
            found = await self._members.loads.take(self._members.group(model), wish)
            if isinstance(found, LoadLease):
                seat = await self._seated(found, model, wish)
                if seat is not None:
                    self._last = self._has_kept = found.place
                    return seat
                refusing |= _bit(found.place)
                continue
            # Not everybody at the same instant.
            wait = found.seconds + self._random.uniform(0.0, 0.1 * found.seconds)
            if found.is_refused or self._clock.monotonic() + wait > patient_until:
                if not self._failed:
                    self._last = 0
                    return self._no_seat(model, found, wait)
                # Those that failed are all there is.
                self._barred |= self._members.all_places & ~self._failed
                self._failed = 0
                wait = self._random.uniform(0.0, _BACKOFF_SECONDS)
            await self._sleep(wait)

    async def spare_seat(self, prompt: Prompt) -> Seat | None:
        """A seat beside the call under way, at a deployment that everybody may call, at once."""
        model = self._members.model_for(prompt.model)
        doubtful = self._failed | _bit(self._last) | self._members.refusing(model)
        for place in range(1, len(self._members.deployments) + 1):
            breaker = self._members.breaker(place, model)
            if breaker is not None and not breaker.is_closed:
                doubtful |= _bit(place)
        if doubtful == self._members.all_places:
            return None
        wish = self._wish(prompt, doubtful, probes=False)
        found = await self._members.loads.take(self._members.group(model), wish)
        return None if isinstance(found, LoadWait) else await self._seated(found, model, wish)

    def after(self, error: ProviderError) -> tuple[bool, ProviderError]:
        """Whether the message may be put at once to a deployment that has not failed it.

        Where none is left all of them may be asked anew, later: then by the error of those that
        failed it after which most can be hoped for.
        """
        if not self._last or error.error_class not in _ELSEWHERE:
            return False, error
        place = _bit(self._last)
        self._failed |= place
        self._errors.append(error)
        self._has_kept = 0
        if error.error_class is ErrorClass.UNAUTHORISED:
            self._barred |= place
            if not refuses_key(error):
                self._doubted.append(self._last)
        left_out = self._failed | self._barred | self._members.refusing(self._model)
        if left_out != self._members.all_places:
            return True, error
        best = max(self._errors, key=lambda each: each.error_class.tries)
        self._failed, self._errors = 0, []
        return False, best

    def _note_answer(self) -> None:
        """What one deployment takes is not forbidden: it was the key that others refused."""
        doubted, self._doubted = self._doubted, []
        for place in doubted:
            self._members.loads.refuse(self._members.group(self._model), place)

    def _left_out(self, model: str, refusing: int) -> int:
        refusing |= self._members.refusing(model)
        if refusing == self._members.all_places:
            raise CircuitBreakerError(f"No deployment of {self._members.name} lets anybody call.")
        left_out = refusing | self._failed | self._barred
        return refusing if left_out == self._members.all_places else left_out

    def _wish(self, prompt: Prompt, left_out: int, *, probes: bool) -> CallWish:
        tokens = prompt.tokens()
        written = prompt.max_output_tokens or self._members.max_output_tokens
        return CallWish(
            tokens=tokens + written,
            limited_tokens=limited_tokens(prompt, tokens),
            left_out=left_out,
            wanted=self._preferred(prompt, tokens),
            probes=probes,
        )

    def _preferred(self, prompt: Prompt, tokens: int) -> tuple[int, ...]:
        """The one that was just asked knows the prompt already."""
        if self._wanted is None:
            key = affinity_key(prompt, tokens=tokens)
            group = self._members.group(self._members.model_for(prompt.model))
            self._wanted = () if key is None else _wanted(key, group)
        return (self._has_kept, *self._wanted[:2]) if self._has_kept else self._wanted

    async def _seated(self, lease: LoadLease, model: str, wish: CallWish) -> Seat | None:
        """None where the breaker of that deployment lets nobody call."""
        members, permit = self._members, None
        try:
            breaker = members.breaker(lease.place, model)
            permit = await breaker.admit() if breaker is not None else None
        except CircuitBreakerError:
            members.loads.give_back(lease)
            return None
        except BaseException:
            members.loads.give_back(lease)
            raise
        deployment = members.deployments[lease.place - 1]
        return Seat(
            members.name,
            deployment.name,
            deployment.provider,
            lease=lease,
            loads=members.loads,
            permit=permit,
            limited_tokens=wish.limited_tokens,
            on_answer=self._note_answer,
        )

    def _no_seat(self, model: str, found: LoadWait, wait: float) -> NoSeat:
        name = self._members.name
        if found.is_refused:
            said = f"the keys of all deployments of {name} were refused lately"
            return NoSeat(name, model, UnauthorisedError(said))
        said = f"no deployment of {name} is free for {wait:.1f} s"
        return NoSeat(name, model, ProviderError(said, error_class=ErrorClass.HELD_BACK))


def _wanted(key: bytes, group: DeploymentGroup) -> tuple[int, ...]:
    names = [each.name for each in group.shares]
    return wanted_places(key, names, [each.weight for each in group.shares])


def _bit(place: int) -> int:
    return 1 << place - 1 if place else 0
