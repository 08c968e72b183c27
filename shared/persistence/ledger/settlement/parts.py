"""What a settlement brings beside its message's row: rows of other tables, each a named part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Table

from shared.identifiers import DEAD_LETTER, HANDOFF, sibling_id
from shared.persistence.flow_tables import charge
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.tables import (
    DeadLetterState,
    HandoffState,
    attempt,
    dead_letter,
    handoff,
)

Key = tuple[str, int]
"""A message, and the attempt under which it is written."""


class SettlementPart(NamedTuple):
    """New rows of one table.

    A part adds rows that are not there and changes none that are: so a settlement that is written
    twice leaves each once, and no two workers wait for the same row. Its table has the column
    `message_id`, and its keys are its message's own. A row has the values of `columns`, in their
    order, and after them the attempt under which it was made. One that `is_fenced` is written with
    its message's end or not at all; others were paid for.
    """

    name: str
    table: Table
    columns: tuple[str, ...]
    is_fenced: bool
    rows: Callable[[Sequence[Settlement]], list[tuple[Any, ...]]]
    """Of a group. It runs for each: where there is none it takes no longer than to look."""

    def key_of(self, row: tuple[Any, ...]) -> Key:
        """Whose row it is."""
        return row[self.columns.index("message_id")], row[-1]

    @property
    def row_type(self) -> type[msgspec.Struct]:
        """The same values by their names; what is not said is NULL."""
        fields = [(name, Any, None) for name in (*self.columns, FENCE)]
        return msgspec.defstruct(f"_{self.name.capitalize()}", fields, omit_defaults=True)


FENCE: Final = "fence"
"""The name of that attempt."""
ATTEMPTS: Final = "attempts"
"""The name of the part that is paid for."""
_OF_ATTEMPT: Final = AttemptRecord.__struct_fields__
BOOKED_COLUMNS: Final = (
    *_OF_ATTEMPT,
    *("message_id", "claim", "ordinal", "tenant_id", "user_id", "lane", "booked_at", "variant"),
)
_booked = attrgetter(*_OF_ATTEMPT)


def _attempt_rows(settlements: Sequence[Settlement]) -> list[tuple[Any, ...]]:
    return [
        (
            *_booked(item),
            settlement.message_id,
            settlement.attempt,
            ordinal,
            settlement.tenant_id,
            settlement.user_id,
            settlement.lane,
            settlement.finished_at,
            settlement.variant,
            settlement.attempt,
        )
        for settlement in settlements
        if settlement.attempts
        for ordinal, item in enumerate(settlement.attempts, start=1)
    ]


def _letter_rows(settlements: Sequence[Settlement]) -> list[tuple[Any, ...]]:
    return [
        (
            sibling_id(DEAD_LETTER, item.message_id),
            DeadLetterState.OPEN,
            item.dead_reason,
            item.error_message or "",
            item.message_id,
            item.tenant_id,
            item.finished_at,
            item.attempt,
        )
        for item in settlements
        if item.dead_reason is not None
    ]


def _handoff_rows(settlements: Sequence[Settlement]) -> list[tuple[Any, ...]]:
    return [
        (
            sibling_id(HANDOFF, item.message_id),
            item.message_id,
            item.tenant_id,
            HandoffState.OPEN,
            item.handoff_reason,
            item.finished_at,
            item.attempt,
        )
        for item in settlements
        if item.handoff_reason is not None
    ]


def _charge_rows(settlements: Sequence[Settlement]) -> list[tuple[Any, ...]]:
    return [
        (
            item.message_id,
            item.attempt,
            0,
            item.tenant_id,
            item.lane,
            item.units,
            item.finished_at,
            item.attempt,
        )
        for item in settlements
        if item.units is not None
    ]


PARTS: Final = (
    SettlementPart(
        name=ATTEMPTS,
        table=attempt,
        columns=BOOKED_COLUMNS,
        is_fenced=False,
        rows=_attempt_rows,
    ),
    SettlementPart(
        name="letters",
        table=dead_letter,
        columns=("id", "state", "reason", "detail", "message_id", "tenant_id", "created_at"),
        is_fenced=True,
        rows=_letter_rows,
    ),
    SettlementPart(
        name="handoffs",
        table=handoff,
        columns=("id", "message_id", "tenant_id", "state", "reason", "created_at"),
        is_fenced=True,
        rows=_handoff_rows,
    ),
    SettlementPart(
        name="charges",
        table=charge,
        columns=("message_id", "claim", "ordinal", "tenant_id", "lane", "units", "charged_at"),
        is_fenced=True,
        rows=_charge_rows,
    ),
)
"""All that a settlement writes beside its message's row; what else it is to write is added here."""
