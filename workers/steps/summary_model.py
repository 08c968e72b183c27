"""The cheap model: the models of the provider chain, asked for their small one."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.clock import Clock
from shared.costs.purse import Purse
from shared.errors import LedgerUnavailable
from shared.messages.item import MessageItem, Role
from shared.messages.record import MessageRecord
from shared.messages.turn_report import Tier
from shared.telemetry.logs import get_logger
from shared.telemetry.tracing import Tracing
from workers.providers.attempt import Attempt, ChainExhaustedError
from workers.providers.chain import Chain
from workers.providers.failures import InvalidRequestError
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt
from workers.steps.meter import Meter
from workers.turn import Booking


class ChainModel:
    """Asks the models alone: rules and humans write no summaries."""

    def __init__(
        self,
        chain: Chain,
        *,
        meter: Meter,
        tracing: Tracing,
        clock: Clock,
    ) -> None:
        models = [link for link in chain.links if link.breakers is not None]
        self._chain = Chain(models, clock=clock, tracing=tracing)
        self._meter = meter
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
        book: Booking,
    ) -> str | None:
        """Never raises for a failure; every call is counted, and given to `book`."""
        prompt = Prompt(
            items=(
                MessageItem(Role.SYSTEM, instructions),
                MessageItem(Role.USER, material),
            ),
            model=Tier.SMALL,
            max_output_tokens=max_output_tokens,
            tenant=record.tenant_id,
            user=record.user_id or "",
        )
        try:
            result = await self._chain.answer(
                prompt, deadline=deadline, purse=purse, on_called=partial(self._note, book)
            )
        except LedgerUnavailable:
            return None  # nobody knows what may be spent
        except (ChainExhaustedError, InvalidRequestError) as error:
            self._log.warning("summary_not_written", error=type(error).__name__)
            return None
        outcome = result.outcome
        return outcome.text.strip() or None if isinstance(outcome, Answer) else None

    def _note(self, book: Booking, attempts: tuple[Attempt, ...]) -> None:
        book(self._meter.read(attempts))
