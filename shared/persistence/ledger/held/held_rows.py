"""The first messages of every flow, found without reading what waits behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, Select, Subquery, bindparam, literal, select, text, true, union_all

from shared.messages.lane import Lane
from shared.persistence.message_conditions import UNRELEASED
from shared.persistence.tables import message


class HeldRow(NamedTuple):
    """What decides when a held message is released."""

    id: str
    lane: Lane
    tenant_id: str
    accepted_at: datetime
    deadline: datetime
    estimated_tokens: int
    attempt: int


HELD_COLUMNS: Final = tuple(message.c[name] for name in HeldRow._fields)
FLOW_ORDER: Final = (message.c.deadline, message.c.id)
"""In which a flow is answered: the earliest deadline first, and ids sort by time."""
_IS_HELD: Final = text(UNRELEASED)


def _next_tenant(lane: Lane, *after: Any) -> Any:
    return (
        select(message.c.tenant_id)
        .where(_IS_HELD, message.c.lane == lane, *after)
        .order_by(message.c.tenant_id)
        .limit(1)
        .scalar_subquery()
    )


def _flows_of(lane: Lane) -> Select[Any]:
    # From each tenant on to the next, so that what one has waiting is not read.
    first = select(_next_tenant(lane).label("tenant_id")).cte(f"in_{lane}", recursive=True)
    after = _next_tenant(lane, message.c.tenant_id > first.c.tenant_id)
    every = first.union_all(select(after).where(first.c.tenant_id.is_not(None)))
    named = literal(lane, message.c.lane.type).label("lane")
    return select(named, every.c.tenant_id).where(every.c.tenant_id.is_not(None))


def heads_of_flows(*, is_sqlite: bool) -> Select[Any]:
    """The first messages of every flow, of each up to the parameter `each`, flow by flow."""
    flows = union_all(*map(_flows_of, Lane)).subquery("flows")
    of_flow = (
        select(*HELD_COLUMNS)
        .where(
            _IS_HELD,
            message.c.lane == flows.c.lane,
            message.c.tenant_id == flows.c.tenant_id,
        )
        .order_by(*FLOW_ORDER)
        .limit(bindparam("each", type_=Integer))
    )
    if is_sqlite:
        return _in_sqlite(flows)
    heads = of_flow.lateral("heads")
    return select(*heads.c).select_from(flows.join(heads, true()))


def _in_sqlite(flows: Subquery) -> Select[Any]:
    inner = message.alias("inner_message")
    first = (
        select(inner.c.id)
        .where(
            text(UNRELEASED.replace("message.", "inner_message.")),
            inner.c.lane == flows.c.lane,
            inner.c.tenant_id == flows.c.tenant_id,
        )
        .order_by(inner.c.deadline, inner.c.id)
        .limit(bindparam("each", type_=Integer))
        .correlate(flows)
    )
    return (
        select(*HELD_COLUMNS)
        .select_from(flows.join(message, message.c.id.in_(first)))
        .order_by(message.c.lane, message.c.tenant_id, *FLOW_ORDER)
    )
