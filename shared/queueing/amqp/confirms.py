"""Which published messages the broker still has to confirm, and who waits for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain, takewhile

from shared.errors import BrokerUnavailable
from shared.queueing.backlog import Confirmation


class ConfirmWindow:
    """Delivery tags in flight, in the order in which they were sent.

    Each message has as many places as it carries wake-ups: who waits for that one, or None.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, Sequence[Confirmation | None]] = {}
        self._sent: deque[tuple[int, float]] = deque()
        self._last = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def sent(self, messages: Iterable[Sequence[Confirmation | None]], *, at: float) -> None:
        """Numbers one written group as the broker does: from one, in order."""
        tag = self._last
        for confirmations in messages:
            tag += 1
            self._waiting[tag] = confirmations
        self._last = tag
        self._sent.append((tag, at))

    def settle(self, tag: int, *, multiple: bool, refused: bool) -> int:
        """Takes one answer of the broker; returns how many messages it settled."""
        if not multiple:
            return self._settle_one(tag, refused) if tag in self._waiting else 0
        due = list(takewhile(tag.__ge__, self._waiting))
        for waiting in due:
            self._settle_one(waiting, refused)
        return len(due)

    def returned(self, identifier: str | None) -> None:
        """A message came back because no queue takes it; the confirm that follows means nothing."""
        error = BrokerUnavailable("The broker has no queue for this message.")
        for confirmations in self._waiting.values():
            told = [each for each in confirmations if each is not None]
            if any(identifier in each.identifiers for each in told):
                for each in told:
                    each.fail(error)

    def completed(self, *, at: float) -> list[float]:
        """For each group whose last confirm has come since: seconds from its first byte to now."""
        oldest = next(iter(self._waiting), self._last + 1)
        durations = []
        while self._sent and self._sent[0][0] < oldest:
            durations.append(at - self._sent.popleft()[1])
        return durations

    def oldest_sent_at(self) -> float | None:
        """When the oldest unconfirmed message was written; None when nothing is in flight."""
        oldest = next(iter(self._waiting), self._last + 1)
        return next((at for tag, at in self._sent if tag >= oldest), None)

    def abandon(self, error: BrokerUnavailable) -> int:
        """Fails everybody who waits; returns how many wake-ups had nobody to tell."""
        unheard = 0
        for confirmation in chain.from_iterable(self._waiting.values()):
            if confirmation is None:
                unheard += 1
            else:
                confirmation.fail(error)
        self._waiting.clear()
        self._sent.clear()
        return unheard

    def _settle_one(self, tag: int, refused: bool) -> int:
        for confirmation in self._waiting.pop(tag):
            if confirmation is not None:
                if refused:
                    confirmation.fail(BrokerUnavailable("The broker refused the message."))
                else:
                    confirmation.confirm()
        return 1
