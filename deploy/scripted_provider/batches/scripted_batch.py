"""One batch, whichever API it came by: what it holds, how far it is, what became of its items."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deploy.scripted_provider.answering import tokens_of
from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from deploy.scripted_provider.request import texts_of


class BatchStage(StrEnum):
    RUNNING = "running"
    CANCELLING = "cancelling"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class ItemFate(StrEnum):
    """What became of an item."""

    ANSWERED = "answered"
    ERRORED = "errored"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class BatchItem:
    custom_id: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """`body` is what a call of its own would have been answered, with that status."""

    custom_id: str
    fate: ItemFate
    status: int = 0
    body: bytes = b""


RunItem = Callable[[BatchItem], ItemResult]


@dataclass(slots=True, kw_only=True)
class ScriptedBatch:
    """Ends by itself when it is looked at after its time; its items are run at that moment."""

    id: str
    model: str
    items: list[BatchItem]
    behaviour: BatchBehaviour
    about: dict[str, Any] = field(default_factory=dict)
    """What its API tells of it besides."""
    created_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    cancelled_at: float | None = None
    stage: BatchStage = BatchStage.RUNNING
    results: list[ItemResult] = field(default_factory=list)
    is_told_to_end: bool = False
    _ends_at: float = 0.0

    def __post_init__(self) -> None:
        self._ends_at = time.monotonic() + self.behaviour.seconds

    @property
    def has_ended(self) -> bool:
        return self.stage not in {BatchStage.RUNNING, BatchStage.CANCELLING}

    @property
    def tokens(self) -> int:
        """Of its prompts, as the limit of what is enqueued counts them."""
        texts = (text for item in self.items for text in texts_of(item.body))
        return sum(len(tokens_of(text)) for text in texts)

    @property
    def enqueued_tokens(self) -> int:
        """What it holds of the limit now."""
        keeps = self.stage is BatchStage.FAILED and self.behaviour.holds_limit
        return self.tokens if keeps or not self.has_ended else 0

    def fail(self) -> None:
        self.stage, self.ended_at = BatchStage.FAILED, time.time()

    def cancel(self) -> None:
        """It is cancelled by the next look."""
        if not self.has_ended:
            self.stage, self.cancelled_at = BatchStage.CANCELLING, time.time()

    def look(self, run: RunItem) -> None:
        """Let time pass."""
        if self.stage is BatchStage.CANCELLING:
            self._end(BatchStage.CANCELLED, ItemFate.CANCELLED, self.behaviour.answered or 0, run)
        elif self.stage is BatchStage.RUNNING and self._is_over():
            answered = self.behaviour.answered
            if self.behaviour.expires:
                self._end(BatchStage.EXPIRED, ItemFate.EXPIRED, answered or 0, run)
            else:
                every = len(self.items) if answered is None else answered
                self._end(BatchStage.COMPLETED, ItemFate.EXPIRED, every, run)

    def _is_over(self) -> bool:
        if self.is_told_to_end:
            return True
        return not self.behaviour.never_ends and time.monotonic() >= self._ends_at

    def _end(self, stage: BatchStage, others: ItemFate, answered: int, run: RunItem) -> None:
        self.stage, self.ended_at = stage, time.time()
        self.results = [run(item) for item in self.items[:answered]]
        self.results += [ItemResult(each.custom_id, others) for each in self.items[answered:]]

    def told(self) -> list[ItemResult]:
        """Its results as they are told, with all that is wrong with them."""
        kept = self.results[: len(self.results) - self.behaviour.lost]
        told = [*kept, *kept[: self.behaviour.repeated], *self._unknown(kept)]
        return told[::-1] if self.behaviour.unordered else told

    def _unknown(self, kept: list[ItemResult]) -> Iterator[ItemResult]:
        like = next((each for each in kept if each.fate is ItemFate.ANSWERED), None)
        for nth in range(self.behaviour.unknown):
            body, status = (like.body, like.status) if like else (b"{}", 200)
            yield ItemResult(f"nobody-{nth}", ItemFate.ANSWERED, status, body)
