"""The cheap model: the models of the provider chain, asked for their small one."""

from __future__ import annotations

from datetime import datetime

from shared.clock import Clock
from shared.costs.meter import Meter
from shared.costs.purse import Purse
from shared.errors import LedgerUnavailable
from shared.messages.input_item import Role
from shared.messages.record import MessageRecord
from shared.messages.report.turn_report import Tier
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing
from workers.context.summary.cheap_model import Written
from workers.providers.attempt import ChainExhaustedError
from workers.providers.chain import Chain
from workers.providers.failures import InvalidRequestError
from workers.providers.outcome import Answer
from workers.providers.provider import Message, Prompt
from workers.steps.attempts import attempt_records, count_attempts


class ChainModel:
    """Asks the models alone: rules and humans write no summaries."""

    def __init__(
        self,
        chain: Chain,
        *,
        meter: Meter,
        metrics: Metrics,
        tracing: Tracing,
        clock: Clock,
    ) -> None:
        models = [link for link in chain.links if link.breakers is not None]
        self._chain = Chain(models, clock=clock, tracing=tracing)
        self._meter = meter
        self._metrics = metrics
        self._log = get_logger(__name__)

    async def write(
        self,
        instructions: str,
        material: str,
        *,
        record: MessageRecord,
        max_output_tokens: int,
        deadline: datetime,
        purse: Purse | None,
    ) -> Written:
        """Never raises for a failure; every call is counted, and given back to be booked."""
        prompt = Prompt(
            messages=(
                Message(role=Role.SYSTEM, content=instructions),
                Message(role=Role.USER, content=material),
            ),
            model=Tier.SMALL,
            max_output_tokens=max_output_tokens,
            tenant=record.tenant_id,
            user=record.user_id or "",
        )
        try:
            return await self._ask(prompt, deadline, purse)
        except LedgerUnavailable:
            return Written(None)  # nobody knows what may be spent; nothing was called

    async def _ask(self, prompt: Prompt, deadline: datetime, purse: Purse | None) -> Written:
        text = None
        try:
            result = await self._chain.answer(prompt, deadline=deadline, purse=purse)
        except (ChainExhaustedError, InvalidRequestError) as error:
            attempts = error.attempts
            self._log.warning("summary_not_written", error=type(error).__name__)
        else:
            attempts = result.attempts
            if isinstance(result.outcome, Answer):
                text = result.outcome.text.strip() or None
        count_attempts(attempts, self._metrics)
        return Written(text, attempt_records(attempts, self._meter))
