"""Recall: what was said before, fitted into the model's token budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from shared.clock import Clock
from shared.conversations.history import ConversationRepository
from shared.costs.purse import Purse
from shared.errors import NotFound
from shared.messages.dead_letter import DeadReason
from shared.messages.item import Item, MessageItem, Role, SearchCall, are_only_text
from shared.messages.record import MessageRecord
from shared.messages.turn_report import ContextReport
from shared.settings.turn.context import ContextSettings, Summarise
from shared.telemetry.metrics import Metrics
from workers.context.importance import Importance
from workers.context.summary.summariser import Summariser
from workers.context.summary.talk import Talk
from workers.context.summary.wording import shown
from workers.context.tokens import Counters
from workers.context.units import loose_end
from workers.context.window import Digest, Fitter, MessageTooLong, Window
from workers.providers.provider import AUTOMATIC_MODEL
from workers.turn import Booking, Turn

_SHARE_OF_TIME_LEFT: Final = 0.25
"""What an answer waits for a summary at the most."""


class Recall:
    """Instructions first, then as much of the conversation as fits, then the message itself.

    What is too old for the prompt is given as a summary where there is one; making the next one is
    left to the turn's follow-up. `model_for` tells which model a requested name will probably be
    answered by: its tokenizer counts. Raises SettingsError, when built, for a bad tokenizer.
    """

    name = "recall"

    def __init__(
        self,
        conversations: ConversationRepository,
        settings: ContextSettings,
        *,
        counters: Counters,
        model_for: Callable[[str], str],
        summariser: Summariser | None,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._settings = settings
        self._counters = counters
        self._model_for = model_for
        self._summariser = summariser
        self._importance = Importance()
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, turn: Turn) -> None:
        try:
            earlier, added = await self._earlier(turn)
        except NotFound as gone:
            # The door saw it. An answer that knows nothing of it would look like any other.
            reason = DeadReason.PREVIOUS_RESPONSE_GONE
            turn.refuse(reason, gone.message, self._clock.now(), code=gone.kind)
            return
        items = _without_repeats([*_instructions(turn), *earlier, *added])
        if not are_only_text(items):
            # What was searched for is told to nobody: what was found stood beside the question.
            items = [item for item in items if not isinstance(item, SearchCall)]
            if fault := loose_end(earlier, added):
                turn.refuse(DeadReason.MALFORMED, fault, self._clock.now())
                return
        try:
            window = await self._fit(turn, items)
        except MessageTooLong as too_long:
            turn.refuse(DeadReason.TOO_LARGE, str(too_long), self._clock.now())
            return
        self._give(turn, window, tells=bool(earlier) or window.kept < len(items))

    async def _earlier(self, turn: Turn) -> tuple[list[Item], list[Item]]:
        if turn.record.previous_id is None and turn.record.conversation_id is None:
            return [], turn.body.input
        return await self._conversations.before(
            turn.record,
            turn.body.input,
            limit=self._settings.message_limit,
            limit_bytes=self._settings.history_bytes,
        )

    async def _fit(self, turn: Turn, items: Sequence[Item]) -> Window:
        counter = self._counters.of(self._model_for(turn.body.model or AUTOMATIC_MODEL))
        fitter = Fitter(counter, self._importance)
        budget = self._settings.token_budget
        window, digest = fitter.fit(items, token_budget=budget), None
        if turn.body.truncation == "disabled":
            _refuse_cuts(items, window, budget)
        elif window.is_crowded and self._summariser is not None and turn.body.store is not False:
            talk = Talk(turn.record.tenant_id, items)
            digest = await self._digest(self._summariser, turn, talk, is_lossy=window.dropped > 0)
            window = fitter.fit(items, token_budget=budget, digest=digest)
            if window.is_crowded:
                about = turn.record, turn.purse
                turn.follow_up = partial(_summarise, self._summariser, *about, talk, self._settings)
        # Neither refers to the turn: it would be kept until somebody looks for cycles.
        turn.shorten = partial(self._shorten, window.items, fitter, items, digest)
        return window

    async def _digest(
        self, summariser: Summariser, turn: Turn, talk: Talk, *, is_lossy: bool
    ) -> Digest | None:
        summary = await summariser.find(talk)
        if summary is None and is_lossy and self._settings.summarise is Summarise.INLINE:
            left = turn.seconds_left(self._clock.now()) * _SHARE_OF_TIME_LEFT
            seconds = min(self._settings.summary_seconds, left)
            # What is reserved for the message is the answer's.
            purse = turn.purse.ahead("summary ahead") if turn.purse else None
            if purse is not None:
                turn.resources.push_async_callback(purse.release)
            summary = await summariser.extend(
                talk, turn.record, seconds=seconds, purse=purse, book=turn.book
            )
        return Digest(shown(summary.text), summary.covered) if summary else None

    def _give(self, turn: Turn, window: Window, *, tells: bool) -> None:
        turn.items = window.items
        if not tells:
            return
        turn.tell(context=self._report(window))

    def _report(self, window: Window) -> ContextReport:
        report = ContextReport(
            kept=window.kept,
            summarised=window.summarised,
            dropped=window.dropped,
            tokens=window.tokens,
            token_budget=self._settings.token_budget,
        )
        for fate in ("kept", "summarised", "dropped"):
            self._metrics.context_items.labels(fate).inc(getattr(report, fate))
        return report

    def _shorten(
        self,
        given: Sequence[Item],
        fitter: Fitter,
        items: Sequence[Item],
        digest: Digest | None,
        share: float,
    ) -> tuple[list[Item], ContextReport] | None:
        budget = int(share * sum(map(fitter.tokens, given)))
        try:
            window = fitter.fit(items, token_budget=budget, digest=digest)
        except MessageTooLong:
            return None
        return window.items, self._report(window)


async def _summarise(
    summariser: Summariser,
    record: MessageRecord,
    paying: Purse | None,
    talk: Talk,
    settings: ContextSettings,
    book: Booking,
) -> None:
    # The message has been settled by then.
    purse = paying.beside("summary") if paying else None
    seconds = settings.summary_seconds
    try:
        await summariser.extend(talk, record, seconds=seconds, purse=purse, book=book)
    finally:
        if purse is not None:
            await purse.settle()


def _refuse_cuts(items: Sequence[Item], window: Window, budget: int) -> None:
    if window.kept < len(items):
        raise MessageTooLong(
            f"The conversation is over the limit of {budget} tokens and 'truncation' is "
            "'disabled'. Leave it out, shorten 'input', or raise context.token_budget."
        )


def _instructions(turn: Turn) -> list[Item]:
    instructions = turn.body.instructions
    told: list[Item] = [MessageItem(Role.SYSTEM, instructions)] if instructions else []
    if turn.variant is not None and turn.variant.system_prefix is not None:
        told.insert(0, MessageItem(Role.SYSTEM, turn.variant.system_prefix))
    return told


def _without_repeats(items: Sequence[Item]) -> list[Item]:
    """Instructions that come with every message of a conversation are needed once, the last."""
    if len(items) < 2:
        return list(items)
    seen: set[tuple[Role, str]] = set()
    kept = []
    for item in reversed(items):
        if item.role.instructs:
            key = (item.role, item.text())
            if key in seen:
                continue
            seen.add(key)
        kept.append(item)
    kept.reverse()
    return kept
