"""Recall: what was said before, fitted into the model's token budget."""

from __future__ import annotations

from shared.clock import Clock
from shared.messages.dead_letter import DeadReason
from shared.messages.input_item import InputItem, Role
from shared.messages.state import ResponseState
from shared.persistence.conversations import ConversationRepository
from shared.settings.agents import ContextSettings
from workers.context.window import MessageTooLong, fit
from workers.turn import Turn


class Recall:
    """Instructions first, then as much of the conversation as fits, then the message itself."""

    name = "recall"

    def __init__(
        self, conversations: ConversationRepository, settings: ContextSettings, clock: Clock
    ) -> None:
        self._conversations = conversations
        self._settings = settings
        self._clock = clock

    async def __call__(self, turn: Turn) -> None:
        earlier = await self._conversations.before(turn.record, limit=self._settings.message_limit)
        instructions = turn.body.instructions
        own = turn.body.items
        if instructions:
            own = [InputItem(Role.SYSTEM, instructions), *own]
        try:
            window = fit(earlier, own, token_budget=self._settings.token_budget)
        except MessageTooLong as too_long:
            self._refuse(turn, too_long)
            return
        turn.items, turn.forgotten = window.items, window.forgotten

    def _refuse(self, turn: Turn, too_long: MessageTooLong) -> None:
        turn.end(
            ResponseState.FAILED,
            self._clock.now(),
            error_code="invalid_prompt",
            error_message=str(too_long),
            dead_reason=DeadReason.TOO_LARGE,
        )
