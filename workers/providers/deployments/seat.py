"""One call at the deployment that was chosen for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.breakers.breaker import Permit
from shared.breakers.reading import CallOutcome
from shared.reservations.reservations import token_correction
from workers.providers.deployments.loads import DeploymentLoads, KeyVerdict, LoadLease
from workers.providers.error_class import ErrorClass, Setting
from workers.providers.failures import ProviderError
from workers.providers.outcome import Answer, Outcome
from workers.providers.provider import Prompt, Provider, Sink

_FORBIDDEN: Final = 403
_COOLED_SECONDS: Final = 1.0
"""After a 429 that does not say for how long."""


class Seat:
    """A provider for one call, and the permit to make it: whoever has it says `end`.

    It is counted at its deployment until then, however the call ends.
    """

    def __init__(
        self,
        name: str,
        deployment: str,
        provider: Provider,
        *,
        lease: LoadLease,
        loads: DeploymentLoads,
        permit: Permit | None,
        limited_tokens: int,
        on_answer: Callable[[], None],
    ) -> None:
        self.name = name
        self.deployment: str | None = deployment
        self._provider = provider
        self._lease = lease
        self._loads = loads
        self._permit = permit
        self._limited_tokens = self._used = limited_tokens
        self._on_answer = on_answer
        self._verdict = KeyVerdict.NOTHING
        self._cool_seconds = 0.0

    @property
    def is_probe(self) -> bool:
        """Whether this call finds out if a deployment is back, or its key is good again."""
        return self._lease.is_probe or (self._permit is not None and self._permit.is_probe)

    def model_for(self, requested: str) -> str:
        return self._provider.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        """As the deployment itself."""
        try:
            outcome = await self._provider.answer(
                prompt, time_left_seconds=time_left_seconds, on_delta=on_delta
            )
        except ProviderError as error:
            self._note(error)
            raise
        if isinstance(outcome, Answer):
            self._verdict = KeyVerdict.ANSWERED
            self._on_answer()
            self._used = outcome.usage.input_tokens + outcome.usage.output_tokens
        return outcome

    async def end(self, outcome: CallOutcome) -> None:
        """Count the call no more, and tell the deployment's breaker how it ended."""
        # First what cannot be cancelled.
        self._loads.give_back(
            self._lease,
            token_correction=token_correction(reserved=self._limited_tokens, used=self._used),
            verdict=self._verdict,
            cool_seconds=self._cool_seconds,
        )
        permit, self._permit = self._permit, None
        if permit is not None:
            await permit.end(outcome)

    async def close(self) -> None:
        """Nothing to release: the deployment goes on."""

    def _note(self, error: ProviderError) -> None:
        if error.error_class is ErrorClass.RATE_LIMITED:
            self._cool_seconds = error.retry_after_seconds or _COOLED_SECONDS
        elif refuses_key(error):
            self._verdict = KeyVerdict.REFUSED


def refuses_key(error: ProviderError) -> bool:
    """Whether it is the key for certain: some forbid what one request asks for."""
    if error.error_class is not ErrorClass.UNAUTHORISED:
        return False
    return error.status != _FORBIDDEN or error.mend is Setting.ACCOUNT


class NoSeat:
    """Stands where no deployment can be asked: a call that fails without being made."""

    deployment: str | None = None
    is_probe = False

    def __init__(self, name: str, model: str, error: ProviderError) -> None:
        self.name = name
        self._model = model
        self._error = error

    def model_for(self, requested: str) -> str:  # noqa: ARG002 - asked for one model
        return self._model

    async def answer(
        self,
        prompt: Prompt,  # noqa: ARG002
        *,
        time_left_seconds: float,  # noqa: ARG002
        on_delta: Sink | None = None,  # noqa: ARG002
    ) -> Outcome:
        """Raises what there is to say."""
        raise self._error

    async def end(self, outcome: CallOutcome) -> None:
        """Nothing was taken."""

    async def close(self) -> None:
        """Nothing was opened."""
