"""Recall: what was said before, fitted into the model's token budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from shared.clock import Clock
from shared.messages.dead_letter import DeadReason
from shared.messages.input_item import InputItem, Role
from shared.messages.report.turn_report import ContextReport
from shared.messages.state import ResponseState
from shared.persistence.conversations import ConversationRepository
from shared.settings.turn.context import ContextSettings
from shared.telemetry.metrics import Metrics
from workers.context.importance import Importance
from workers.context.tokens.counters import Counters
from workers.context.window import KEPT_WHOLE, Fitter, MessageTooLong, Window
from workers.providers.provider import AUTOMATIC_MODEL
from workers.turn import Turn


class Recall:
    """Instructions first, then as much of the conversation as fits, then the message itself.

    `model_for` tells which model a requested name will probably be answered by: its tokenizer
    counts. Raises SettingsError, when built, for a tokenizer that cannot be read.
    """

    name = "recall"

    def __init__(
        self,
        conversations: ConversationRepository,
        settings: ContextSettings,
        *,
        model_for: Callable[[str], str],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._settings = settings
        self._model_for = model_for
        self._counters = Counters(settings.tokenizers)
        self._importance = Importance()
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, turn: Turn) -> None:
        earlier = await self._conversations.before(
            turn.record,
            limit=self._settings.message_limit,
            limit_bytes=self._settings.history_bytes,
        )
        items = _without_repeats([*_instructions(turn), *earlier, *turn.body.items])
        try:
            window = self._fit(turn, items)
        except MessageTooLong as too_long:
            self._refuse(turn, too_long)
            return
        turn.items = window.items
        if earlier or window.kept < len(items):
            self._tell(turn, window)

    def _fit(self, turn: Turn, items: Sequence[InputItem]) -> Window:
        counter = self._counters.of(self._model_for(turn.body.model or AUTOMATIC_MODEL))
        budget = self._settings.token_budget
        window = Fitter(counter, self._importance).fit(items, token_budget=budget)
        if window.kept < len(items) and turn.body.truncation == "disabled":
            raise MessageTooLong(
                f"The conversation is over the limit of {budget} tokens and 'truncation' is "
                "'disabled'. Leave it out, shorten 'input', or raise context.token_budget."
            )
        return window

    def _tell(self, turn: Turn, window: Window) -> None:
        report = ContextReport(
            kept=window.kept,
            summarised=window.summarised,
            dropped=window.dropped,
            tokens=window.tokens,
            token_budget=self._settings.token_budget,
        )
        turn.report = replace(turn.report, context=report)
        for fate in ("kept", "summarised", "dropped"):
            self._metrics.context_items.labels(fate).inc(getattr(report, fate))

    def _refuse(self, turn: Turn, too_long: MessageTooLong) -> None:
        turn.end(
            ResponseState.FAILED,
            self._clock.now(),
            cost=Decimal(0),  # nobody was asked
            error_code="invalid_prompt",
            error_message=str(too_long),
            dead_reason=DeadReason.TOO_LARGE,
        )


def _instructions(turn: Turn) -> list[InputItem]:
    instructions = turn.body.instructions
    return [InputItem(Role.SYSTEM, instructions)] if instructions else []


def _without_repeats(items: Sequence[InputItem]) -> list[InputItem]:
    """Instructions that come with every message of a conversation are needed once, the last."""
    seen: set[tuple[Role, str]] = set()
    kept = []
    for item in reversed(items):
        if item.role in KEPT_WHOLE:
            key = (item.role, item.text)
            if key in seen:
                continue
            seen.add(key)
        kept.append(item)
    kept.reverse()
    return kept
