"""Validation: the whole input is read once before anything of it runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from shared.batches.batch import (
    MOST_BYTES,
    MOST_LINES,
    MOST_MESSAGES,
    Batch,
    BatchEstimate,
    BatchFault,
)
from shared.batches.state import BatchSurface
from shared.errors import NotFound
from shared.files.content_store import ContentStore
from workers.batching.batch_request import BatchRequest, LineFaulty, read_batch_request
from workers.batching.input_lines import LinesOfInput

MOST_FAULTS: Final = 50
"""So many of a batch's faults are told."""
_OUTPUT_WEIGHT: Final = 4
"""What a token of output costs, in such of the input."""
_SMALLEST: Final = Decimal("0.000001")


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """What an input holds; with faults nothing of it is to be run."""

    lines: int
    messages: int
    """Lines, equal ones once."""
    input_tokens: int
    output_tokens: int
    model: str | None
    """Of all lines; None where they name several, or none."""
    faults: tuple[BatchFault, ...]

    def estimate(self, told: BatchEstimate | None) -> BatchEstimate:
        """What the batch takes by its own tokens, at the price and the pace of what was `told` of
        it by its first lines."""
        known = told or BatchEstimate(self.messages, self.input_tokens, self.output_tokens)
        share = _weight(self) / (_weight(known) or 1)
        return BatchEstimate(
            self.messages,
            self.input_tokens,
            self.output_tokens,
            cost=_part(known.cost, share),
            standard_cost=_part(known.standard_cost, share),
            eta_seconds=known.eta_seconds,
            eta_basis=known.eta_basis,
        )


def _weight(of: Validated | BatchEstimate) -> int:
    return of.input_tokens + _OUTPUT_WEIGHT * of.output_tokens


def _part(amount: Decimal | None, share: float) -> Decimal | None:
    return None if amount is None else (amount * Decimal(share)).quantize(_SMALLEST)


async def validate(of: Batch, store: ContentStore) -> Validated:
    """Read all lines, of which few are in memory at a time; raises Unavailable."""
    if of.surface is BatchSurface.OPENAI and of.input_bytes > MOST_BYTES:
        told = f"The file has {of.input_bytes} bytes, and a batch takes {MOST_BYTES}. Split it."
        return _faulty(BatchFault("file_too_large", told))
    reading = _InputRead(of)
    try:
        async for line in LinesOfInput(store, of.content_id, of.input_bytes).behind():
            reading.count(line.number)
            if reading.is_too_much:
                break
            try:
                reading.add(read_batch_request(line, of), line.number)
            except LineFaulty as error:
                reading.note(error.fault)
    except NotFound as error:
        return _faulty(BatchFault("input_file_deleted", str(error)))
    return reading.result()


def _faulty(fault: BatchFault) -> Validated:
    return Validated(
        lines=0, messages=0, input_tokens=0, output_tokens=0, model=None, faults=(fault,)
    )


class _InputRead:
    """What was found so far. Hashes, of 61 bits and keyed anew in each process, stand for what may
    be as long as a line."""

    def __init__(self, of: Batch) -> None:
        self._mixes_models = of.surface is BatchSurface.ANTHROPIC
        self._most_lines = MOST_MESSAGES if self._mixes_models else MOST_LINES
        self._lines = 0
        self._line_of_id: dict[int, int] = {}
        self._bodies: set[int] = set()
        self._first: tuple[str | None, int] | None = None
        self._has_others = False
        self._input_tokens = 0
        self._output_tokens = 0
        self._faults: list[BatchFault] = []

    @property
    def is_too_much(self) -> bool:
        return self._lines > self._most_lines or len(self._faults) >= MOST_FAULTS

    def count(self, number: int) -> None:
        self._lines += 1
        if self._lines > self._most_lines:
            told = f"A batch takes {self._most_lines} lines. Split the file."
            self.note(BatchFault("too_many_lines", told, number))

    def note(self, fault: BatchFault) -> None:
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(fault)

    def add(self, request: BatchRequest, number: int) -> None:
        first = self._line_of_id.setdefault(hash(request.custom_id), number)
        if first != number:
            told = f"'custom_id' is that of line {first}. Give each line its own."
            self.note(BatchFault("duplicate_custom_id", told, number, "custom_id"))
        self._check_model(request, number)
        body = hash(request.body)
        if body not in self._bodies:
            self._bodies.add(body)
            self._input_tokens += request.input_tokens
            self._output_tokens += request.output_tokens

    def _check_model(self, request: BatchRequest, number: int) -> None:
        if self._first is None:
            self._first = request.model, number
        first, line = self._first
        if request.model == first:
            return
        self._has_others = True
        if self._mixes_models:
            return
        told = (
            f"'model' is {_named(request.model)}, and that of line {line} is {_named(first)}. "
            "Use one model in a batch."
        )
        self.note(BatchFault("mismatched_model", told, number, "body.model"))

    def result(self) -> Validated:
        if not self._lines:
            self.note(BatchFault("empty_file", "The file has no lines. Write a request on each."))
        return Validated(
            lines=self._lines,
            messages=len(self._bodies),
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            model=None if self._has_others or self._first is None else self._first[0],
            faults=tuple(self._faults),
        )


def _named(model: str | None) -> str:
    return "missing" if model is None else f"'{model[:64]}'"
