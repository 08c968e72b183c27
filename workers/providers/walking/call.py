"""One attempt: a provider called, its breaker told, its answer judged, all of it on record."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final, assert_never

from msgspec.structs import replace

from shared.breakers.reading import CallOutcome
from shared.costs.purse import Purse
from shared.telemetry import genai
from shared.telemetry.tracing import SILENT_SPAN, AttributeValue, Span, SpanKind, Tracing
from workers.providers.attempt import Attempt, Judge, Judgement, RejectedAnswer
from workers.providers.error_class import Blame, ErrorClass
from workers.providers.failures import ProviderError
from workers.providers.outcome import Answer, Declined, HandedOff, Outcome, Usage
from workers.providers.provider import Prompt, Sink
from workers.providers.walking.delivery import FirstToken, StartedAttempt
from workers.providers.walking.funding import Funding
from workers.providers.walking.lateness import Hedging
from workers.providers.walking.link import ChainLink, Leave
from workers.providers.walking.means import Means

SHORTEST_FAIR_CALL_SECONDS: Final = 2.0
"""A call that was given less says nothing by running out of time: else messages with hardly any
time left would take a healthy provider away from everybody."""
_PASSED: Final = Judgement(accepted=True)


class Call:
    """One call of one provider; `record` is there once it has ended."""

    def __init__(
        self,
        link: ChainLink,
        prompt: Prompt,
        *,
        permit: Leave | None,
        ordinal: int,
        judge: Judge | None,
        means: Means,
        purse: Purse | None,
    ) -> None:
        self.provider = link.provider.name
        self.label = link.label
        """With the deployment, where it is one of several."""
        self.model = link.provider.model_for(prompt.model)
        self.record: Attempt | None = None
        self._link = link
        self.prompt = prompt
        """As it is sent."""
        self._permit = permit
        self._judge = judge
        self._means = means
        self._funding = (
            None if purse is None else Funding(purse, most_output_tokens=link.most_output_tokens)
        )
        self._was_begun = self._was_made = False
        self._started = StartedAttempt(
            provider=self.provider,
            model=self.model,
            deployment=link.deployment,
            ordinal=ordinal,
            clock=means.clock,
        )

    async def outcome(self, sink: Sink | None, *, seconds: float) -> Answer | HandedOff | None:
        """What stands; None when the provider declined. Gives the permit back in any case.

        Raises ProviderError, RejectedAnswer when the judge did not let the answer pass, and
        LedgerUnavailable where nobody can say whether the tenant may still spend.
        """
        health = CallOutcome.NEUTRAL
        self._was_begun = True
        try:
            if self._funding is not None:
                self.prompt = await self._funding.fund(
                    self.prompt, provider=self.provider, model=self.model
                )
            self._was_made = True
            outcome = await self._asked(sink, seconds=seconds)
            health = CallOutcome.SUCCESS
            self._link.log.answered(self.label, self.model, now=self._means.clock.monotonic())
        except ProviderError as error:
            health = _health_shown_by(error, seconds_given=seconds)
            self._note(error)
            usage = error.usage or (self._estimated_usage() if error.may_be_billed else None)
            self._end(self._started.failed(error.error_class, detail=error.message, usage=usage))
            raise
        finally:
            if self._permit is not None:
                await self._permit.end(health)
        return await self._judged(outcome)

    async def forgo(self) -> None:
        """Give the permit of a call back that is never made; one that was begun has done so."""
        if not self._was_begun and self._permit is not None:
            await self._permit.end(CallOutcome.NEUTRAL)

    def lose(self) -> None:
        """Put on record that another call was heard; one that had failed by itself stays so."""
        if not self._was_made:
            return
        self._cut(ErrorClass.HEDGED_AWAY, "another provider was heard first")
        if self.record is not None and self.record.error_class is None:
            self.record = replace(self.record, error_class=ErrorClass.HEDGED_AWAY)

    def abandon(self) -> None:
        """Put on record that it was cancelled with its turn; one that had ended stays so."""
        if self._was_made:
            self._cut(ErrorClass.ABANDONED, "the turn was stopped")

    def _note(self, error: ProviderError) -> None:
        """Into the log, unless it was not called or it was the request that was refused."""
        if error.error_class.refuses or not self._was_made:
            return
        now = self._means.clock.monotonic()
        self._link.log.failed(self.label, self.model, error.error_class, error.status, now=now)

    def _cut(self, error_class: ErrorClass, why: str) -> None:
        if self.record is None:
            usage = self._estimated_usage()
            self._end(self._started.failed(error_class, detail=why, usage=usage))

    def _estimated_usage(self) -> Usage:
        """It is billed for its prompt at least, so that much is booked, and what was heard."""
        return Usage.estimated(read=self.prompt.tokens(), written="".join(self._started.heard))

    def _end(self, record: Attempt) -> None:
        self.record = record
        if self._funding is not None:
            self._funding.bill(record.usage)

    async def _asked(self, sink: Sink | None, *, seconds: float) -> Outcome:
        kind = (self.label, self.model, sink is not None)
        with (
            _call_span(
                self._means.tracing,
                self.prompt,
                link=self._link,
                model=self.model,
                streamed=sink is not None,
            ) as span,
            FirstToken(self._started, sink, kind=kind, hedging=self._hedging) as token,
        ):
            outcome = await self._link.provider.answer(
                self.prompt, time_left_seconds=seconds, on_delta=token.sink
            )
            if isinstance(outcome, Answer):
                token.hear()
            _describe(span, outcome, self._started.first_token_seconds)
        return outcome

    async def _judged(self, outcome: Outcome) -> Answer | HandedOff | None:
        if isinstance(outcome, Declined):
            self._end(self._started.failed(ErrorClass.DECLINED, detail=outcome.reason))
            return None
        if isinstance(outcome, HandedOff):
            self._end(self._started.succeeded(usage=None))
            return outcome
        judgement = await self._judge(outcome) if self._judge else _PASSED
        if not judgement.accepted:
            self._end(
                self._started.failed(
                    ErrorClass.REJECTED,
                    detail=judgement.reason,
                    usage=outcome.usage,
                    oddities=outcome.oddities,
                )
            )
            raise RejectedAnswer(judgement)
        self._end(
            self._started.succeeded(
                usage=outcome.usage,
                detail=judgement.reason or outcome.waited,
                oddities=outcome.oddities,
            )
        )
        return judgement.answer or outcome

    @property
    def _hedging(self) -> Hedging | None:
        """Where to learn from this call; only models have a breaker, and only they are hedged."""
        return self._means.hedging if self._permit is not None else None


def _call_span(
    tracing: Tracing, prompt: Prompt, *, link: ChainLink, model: str, streamed: bool
) -> AbstractContextManager[Span]:
    """Opens around the call, so that the provider's own server continues this trace."""
    if not tracing.recording:
        return SILENT_SPAN
    attributes: dict[str, AttributeValue | None] = {
        genai.OPERATION_NAME: genai.CHAT,
        genai.SPAN_KIND: genai.KIND_LLM,
        genai.PROVIDER_NAME: link.provider.name,
        "forebay.deployment": link.deployment,
        genai.REQUEST_MODEL: model,
        genai.REQUEST_STREAM: streamed,
        genai.REQUEST_MAX_TOKENS: prompt.max_output_tokens,
        genai.REQUEST_TEMPERATURE: prompt.temperature,
        genai.REQUEST_TOP_P: prompt.top_p,
    }
    known = {name: value for name, value in attributes.items() if value is not None}
    return tracing.span(f"{genai.CHAT} {model}", SpanKind.CLIENT, known)


def _describe(span: Span, outcome: Outcome, first_token_seconds: float | None) -> None:
    """Put the answer's figures on its span."""
    if not isinstance(outcome, Answer) or span is SILENT_SPAN:
        return
    usage = outcome.usage
    span.set_attributes(
        {
            genai.RESPONSE_MODEL: outcome.model,
            genai.RESPONSE_FINISH_REASONS: [outcome.finish],
            genai.USAGE_INPUT_TOKENS: usage.input_tokens,
            genai.USAGE_OUTPUT_TOKENS: usage.output_tokens,
            genai.USAGE_CACHED_INPUT_TOKENS: usage.cached_tokens,
            genai.USAGE_CACHE_CREATION_INPUT_TOKENS: usage.cache_write_tokens,
            genai.USAGE_REASONING_OUTPUT_TOKENS: usage.reasoning_tokens,
        }
    )
    if first_token_seconds is not None:
        span.set_attribute(genai.RESPONSE_TIME_TO_FIRST_CHUNK, first_token_seconds)


def _health_shown_by(error: ProviderError, *, seconds_given: float) -> CallOutcome:
    """Failure when the provider could not be reached, broke, hung, talked nonsense, or is not
    what the settings say."""
    is_failure = _is_to_blame(error, seconds_given=seconds_given)
    return CallOutcome.FAILURE if is_failure else CallOutcome.NEUTRAL


def _is_to_blame(error: ProviderError, *, seconds_given: float) -> bool:
    match error.error_class.blame:
        case Blame.ALWAYS:
            return True
        case Blame.BEFORE_FIRST_TOKEN:
            return not error.after_first_token
        case Blame.WITH_TIME_ENOUGH:
            return seconds_given >= SHORTEST_FAIR_CALL_SECONDS
        case Blame.NEVER:
            return False
        case _:
            assert_never(error.error_class.blame)
