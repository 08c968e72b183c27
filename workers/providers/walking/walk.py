"""The walk of one prompt along the links of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from pybreaker import CircuitBreakerError

from shared.breakers.breaker import Breaker
from shared.breakers.reading import CallOutcome
from shared.costs.purse import Purse
from shared.errors import ForebayError
from workers.providers.attempt import (
    Attempt,
    Called,
    ChainExhaustedError,
    ChainResult,
    Judge,
    Judgement,
    ModelsAwayError,
    RejectedAnswer,
)
from workers.providers.deployments.route import DeploymentRoute
from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    ContextTooLongError,
    InvalidRequestError,
    ProviderError,
    UnknownFieldError,
)
from workers.providers.outcome import Answer, HandedOff
from workers.providers.provider import Prompt
from workers.providers.walking.absence import are_away
from workers.providers.walking.call import Call
from workers.providers.walking.delivery import TextDelivery
from workers.providers.walking.hedge import Hedge
from workers.providers.walking.link import AdmittedCall, ChainLink, Phrasing, Shorten, Shortening
from workers.providers.walking.means import Means
from workers.providers.walking.race import Racer

_SHARE_OF_TIME_LEFT = 0.8
"""What one call may take of the time left while others wait behind it in the chain."""


class Walk:
    """One prompt on its way along the chain."""

    def __init__(
        self,
        prompt: Prompt,
        *,
        deadline: datetime,
        delivery: TextDelivery,
        judge: Judge | None,
        shorten: Shorten | None,
        on_called: Called | None,
        means: Means,
        purse: Purse | None = None,
        waits: bool = False,
    ) -> None:
        self._waits = waits
        self._prompt = prompt
        self._shortening = Shortening(prompt, shorten)
        self._wants_human = False
        self._refusal: InvalidRequestError | None = None
        self._hedge = Hedge(means.hedging) if means.hedging is not None else None
        # By the clock that only measures: it is read at every turn, and cheaper to read.
        seconds = (deadline - means.clock.now()).total_seconds()
        self._ends_at = means.clock.monotonic() + seconds
        self._delivery = delivery
        self._judge = judge
        self._on_called = on_called
        self._means = means
        self._purse = purse
        self._links: Sequence[ChainLink] = ()
        self._calls: list[Call] = []
        self._answered: Call | None = None
        self._skipped: list[str] = []

    async def over(self, links: Sequence[ChainLink]) -> ChainResult:
        self._links = links
        try:
            for link in links:
                if self._wants_human and not link.is_human:
                    continue
                if not link.is_model:
                    self._wait_for_models()
                outcome = await self._ask(link)
                if outcome is not None and self._answered is not None:
                    return ChainResult(
                        outcome=outcome,
                        provider=self._answered.provider,
                        prompt=self._answered.prompt,
                        attempts=self._attempts,
                        skipped=tuple(self._skipped),
                    )
        except BaseException:
            # Stopped, or a fault of ours: what was called is paid for all the same.
            for call in self._calls:
                call.abandon()
            raise
        finally:
            if self._on_called is not None:
                self._on_called(self._attempts)
        self._wait_for_models()
        raise self._failure()

    def _wait_for_models(self) -> None:
        models = [link for link in self._links if link.is_model]
        if self._waits and are_away(models, self._prompt.model, self._attempts, self._skipped):
            raise ModelsAwayError

    def _failure(self) -> ForebayError:
        """Why nobody answered: the first refusal, where everybody was asked and refused."""
        ends = {each.provider: each.error_class for each in self._attempts}
        refused = [end.refuses for end in ends.values() if end and end is not ErrorClass.DECLINED]
        everybody_was_asked = not self._skipped and self._time_left_seconds > 0
        if self._refusal is None or not everybody_was_asked or not all(refused):
            return ChainExhaustedError(self._attempts, tuple(self._skipped))
        self._refusal.attempts = self._attempts
        return self._refusal

    async def _ask(self, link: ChainLink) -> Answer | HandedOff | None:
        """Try one provider as often as its failures allow; None: the next one is to be asked."""
        breaker = link.breaker(self._prompt.model)
        route = link.deployments.route() if link.deployments is not None else None
        phrasing, tries = Phrasing(self._prompt, self._shortening), 0
        while self._time_left_seconds > 0:
            tries += 1
            began = self._means.clock.monotonic()
            try:
                return await self._attempt(link, route or breaker, phrasing)
            except CircuitBreakerError:
                self._skipped.append(link.provider.name)
                return None
            except UnknownFieldError as refusal:
                if not refusal.is_mended:
                    self._refusal = self._refusal or refusal
                    return None
            except InvalidRequestError as refusal:
                self._refusal = self._refusal or refusal
                if not isinstance(refusal, ContextTooLongError):
                    return None
                if not await phrasing.shorten(refusal.room):
                    return None
            except RejectedAnswer as rejected:
                if not self._asks_again(phrasing, rejected.judgement):
                    return None
            except ProviderError as error:
                elsewhere, decisive = (None, error) if route is None else route.after(error)
                wait = link.retry.wait_after(
                    decisive,
                    tries=tries,
                    took_seconds=self._means.clock.monotonic() - began,
                    time_left_seconds=self._time_left_seconds,
                    random=self._means.random,
                    elsewhere=elsewhere,
                )
                if wait is None or (breaker is not None and breaker.refuses):
                    return None
                # What cost nothing is no try where another deployment is asked.
                tries -= bool(elsewhere) and not error.may_be_billed
                await self._means.sleep(wait)
        return None

    def _asks_again(self, phrasing: Phrasing, judgement: Judgement) -> bool:
        """Whether the provider gets a second chance, which is its last, with the complaint."""
        self._wants_human = judgement.hands_off
        return phrasing.complain(judgement.complaint)

    async def _attempt(
        self, link: ChainLink, gate: Breaker | DeploymentRoute | None, phrasing: Phrasing
    ) -> Answer | HandedOff | None:
        admitted = await self._admitted(link, gate, phrasing.prompt)
        sink = self._delivery.sink
        entry = self._entry(admitted, phrasing.prompt)
        hedge = self._hedge
        race = None
        if hedge is not None:
            second = partial(self._second_entry, hedge, link, gate)
            race = hedge.race(
                entry, second, permit=admitted.permit, sink=sink, sleep=self._means.sleep
            )
        if hedge is None or race is None:
            self._answered = entry.call
            return await entry.call.outcome(sink, seconds=entry.seconds)
        try:
            return await race.outcome()
        finally:
            self._answered = race.winner
            hedge.count(race)

    async def _second_entry(
        self, hedge: Hedge, first: ChainLink, gate: Breaker | DeploymentRoute | None
    ) -> Racer | None:
        behind = self._links[self._links.index(first) + 1 :]
        beside = (first, gate) if isinstance(gate, DeploymentRoute) else None
        second = await hedge.second(behind, self._prompt, beside=beside)
        return None if second is None else self._entry(second, self._prompt)

    def _entry(self, admitted: AdmittedCall, prompt: Prompt) -> Racer:
        call = Call(
            admitted.link,
            prompt,
            permit=admitted.permit,
            ordinal=len(self._calls) + 1,
            judge=self._judge,
            means=self._means,
            purse=self._purse,
        )
        self._calls.append(call)
        is_last = call.provider == self._links[-1].provider.name
        share = 1.0 if is_last else _SHARE_OF_TIME_LEFT
        return Racer(call=call, seconds=self._time_left_seconds * share)

    async def _admitted(
        self, link: ChainLink, gate: Breaker | DeploymentRoute | None, prompt: Prompt
    ) -> AdmittedCall:
        """Leave to call, with the caller told to forget what it has seen of another attempt."""
        if isinstance(gate, DeploymentRoute):
            seat = await gate.seat(prompt, seconds=self._time_left_seconds)
            admitted = link.seated(seat)
        else:
            admitted = AdmittedCall(link, await gate.admit() if gate is not None else None)
        if not self._delivery.has_delivered:
            return admitted
        try:
            await self._delivery.start_over()
        except BaseException:
            if admitted.permit is not None:
                await admitted.permit.end(CallOutcome.NEUTRAL)
            raise
        return admitted

    @property
    def _attempts(self) -> tuple[Attempt, ...]:
        """What is on record, in the order in which the calls began."""
        return tuple([call.record for call in self._calls if call.record is not None])

    @property
    def _time_left_seconds(self) -> float:
        return self._ends_at - self._means.clock.monotonic()
