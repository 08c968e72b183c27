"""A batch as its row has it, and what is said of it and of its lines."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Row

from shared.batches.kept_embeddings import KeptEmbeddings
from shared.batches.state import BatchEndpoint, BatchState, BatchSurface, ItemOutcome
from shared.messages.record import MessageRecord

LONGEST_CUSTOM_ID: Final = 512
MOST_LINES: Final = 50_000
MOST_MESSAGES: Final = 100_000
"""Of Anthropic's surface, whose door holds their body to a limit of its own."""
MOST_BYTES: Final = 200 * 1024 * 1024
LONGEST_LINE_BYTES: Final = 10 * 1024 * 1024

WindowSeconds = Annotated[int, msgspec.Meta(ge=1)]


class BatchFault(msgspec.Struct, frozen=True):
    """One fault of a batch's input, in the words of OpenAI's contract; lines count from 1."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class BatchCounts(msgspec.Struct, frozen=True):
    """How many lines a batch has, and how many of them have come to what."""

    total: int = 0
    completed: int = 0
    failed: int = 0
    expired: int = 0
    cancelled: int = 0

    @property
    def waiting(self) -> int:
        """Those that have not ended."""
        return self.total - self.completed - self.failed - self.expired - self.cancelled


class BatchUsage(msgspec.Struct, frozen=True):
    """What was spent on a batch so far, equal lines once; US dollars."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Decimal = Decimal(0)


class EtaBasis(StrEnum):
    """What the expected end of a batch is told by."""

    GUESS = "guess"
    """By its window alone: nothing was answered lately."""
    CALLS = "calls"
    """How long the latest calls took, and how many workers make at once."""
    LANE = "lane"
    """How fast the backlog of the lane is worked off, and the tenant's share of that."""
    PROGRESS = "progress"
    """How many of its own lines have ended by now."""


class BatchEstimate(msgspec.Struct, frozen=True):
    """What a batch is expected to take, as its validation counted it.

    `cost` is at the price of a batch and `standard_cost` at that of single calls, both US dollars
    and None where the model has no price; `eta_seconds` counts from then.
    """

    messages: int
    """Equal lines once."""
    input_tokens: int
    output_tokens: int
    cost: Decimal | None = None
    standard_cost: Decimal | None = None
    eta_seconds: float | None = None
    eta_basis: EtaBasis | None = None


class NewBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever asks for a batch settles.

    `content_id` is the content of the input: JSON Lines, `input_bytes` of them. `notes` is the
    metadata. `principals` are whose documents its lines find; None for everybody's.
    """

    tenant_id: str
    surface: BatchSurface = BatchSurface.OPENAI
    endpoint: BatchEndpoint
    content_id: str
    input_bytes: int
    input_file_id: str | None = None
    window_seconds: WindowSeconds
    notes: dict[str, str] | None = None
    output_expires_after: int | None = None
    """Seconds from the making of the output and error file; None keeps them."""
    principals: tuple[str, ...] | None = None


class Batch(NewBatch, frozen=True, kw_only=True):
    """One row. `counts` and `usage` are there when it has ended, and change no more."""

    id: str
    digest: str
    state: BatchState
    created_at: datetime
    expires_at: datetime
    in_progress_at: datetime | None = None
    finalizing_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    expired_at: datetime | None = None
    cancelling_at: datetime | None = None
    cancelled_at: datetime | None = None
    cursor_bytes: int = 0
    cursor_line: int = 0
    expanded_at: datetime | None = None
    total: int | None = None
    model: str | None = None
    estimate: BatchEstimate | None = None
    errors: tuple[BatchFault, ...] | None = None
    counts: BatchCounts | None = None
    usage: BatchUsage | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None

    @property
    def is_uncounted(self) -> bool:
        """Whether it was cancelled before it was validated, and each of its lines is to be told as
        that: Anthropic's surface has taken its requests one by one, OpenAI's a file unread.
        """
        is_cancelled = self.state is BatchState.CANCELLING and self.total is None
        return is_cancelled and self.surface is BatchSurface.ANTHROPIC

    set_aside_each: int | None = None
    """What is set aside of the tenant's daily budget for each message, in billionths of a dollar;
    None where nothing is."""

    @property
    def set_aside(self) -> int | None:
        """For all of them, before any has begun."""
        if self.set_aside_each is None or self.estimate is None:
            return None
        return self.set_aside_each * self.estimate.messages


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line, and what it has come to.

    `message` is None for a line that became none, and for one whose message was deleted; the error
    is there with every other outcome than WAITING and COMPLETED.
    """

    line: int
    custom_id: str
    outcome: ItemOutcome
    message: MessageRecord | None = None
    status_code: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    embeddings: KeptEmbeddings | None = None
    """The answer of a line that asks for no message."""
    error_param: str | None = None


_IN_JSON: Final[dict[str, Any]] = {
    "principals": tuple[str, ...],
    "notes": dict[str, str],
    "estimate": BatchEstimate,
    "errors": tuple[BatchFault, ...],
    "counts": BatchCounts,
    "usage": BatchUsage,
}


def batch_of(row: Row[Any]) -> Batch:
    """The batch of a row that has all columns of the table."""
    values = dict(row._mapping)
    for name, kind in _IN_JSON.items():
        if values[name] is not None:
            values[name] = msgspec.json.decode(values[name], type=kind)
    return Batch(**values)


def columns_of_batch(made: Batch) -> dict[str, Any]:
    """The values of its row."""
    return {name: json_column(name, value) for name, value in asdict(made).items()}


def json_column(name: str, value: Any) -> Any:
    """A value as the column of this name has it."""
    if name not in _IN_JSON or value is None:
        return value
    return msgspec.json.encode(value).decode()
