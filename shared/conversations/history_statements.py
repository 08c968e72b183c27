"""The statements that read back what was said: rows of messages and of what callers put in."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    bindparam,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from shared.conversations.tables import conversation, conversation_item
from shared.messages.state import ResponseState
from shared.persistence.tables import REMEMBERED, message

_NOTHING: Final = null().cast(Text).label("kept")
_SAID: Final = (
    message.c.id,
    message.c.body,
    message.c.output_text,
    message.c.output_items,
    _NOTHING,
)
_OF_LINK: Final = ("previous_id", "tenant_id", "state", "erased_at")
_NAMES: Final = tuple(column.name for column in _SAID)


def within_bytes(newest_first: FromClause, *more: ColumnElement[Any]) -> Select[Any]:
    """The newest of these rows up to `limit_bytes` in all, and `more` with each.

    The newest one of all is there whatever its size: what was said last is what is gone on from.
    """
    # The sum runs where the rows are: a conversation of large messages must not be loaded to
    # find out that it is too large.
    said = newest_first.c
    sizes = [func.coalesce(func.length(said[name]), 0) for name in _NAMES[1:]]
    total = func.sum(reduce(operator.add, sizes)).over(order_by=said.depth).label("bytes")
    counted = select(*(said[name] for name in _NAMES), said.depth, total).subquery("counted")
    return (
        select(*(counted.c[name] for name in _NAMES), *more)
        .where(
            or_(
                counted.c.bytes <= bindparam("limit_bytes", type_=BigInteger),
                counted.c.depth == 1,
            )
        )
        .order_by(counted.c.depth)
    )


def of_conversation() -> FromClause:
    """What was said in it by either, the newest first, `limit` of each at the most."""
    said, kept = select(_newest_messages()), select(_newest_kept())
    both = union_all(said, kept).subquery("both")
    newest_first = both.c.at.desc(), both.c.ordinal.desc(), both.c.id.desc()
    depth = func.row_number().over(order_by=newest_first).label("depth")
    ranked = select(*(both.c[name] for name in _NAMES), depth).subquery("ranked")
    return (
        select(ranked)
        .where(ranked.c.depth <= bindparam("limit", type_=Integer))
        .subquery("newest_first")
    )


def _newest_messages() -> Subquery:
    at = message.c.finished_at
    return (
        select(*_SAID, at.label("at"), literal(0).label("ordinal"))
        .where(
            message.c.tenant_id == bindparam("tenant"),
            message.c.conversation_id == bindparam("conversation"),
            message.c.state == ResponseState.COMPLETED,
            message.c.id != bindparam("own"),
            REMEMBERED,
        )
        .order_by(at.desc(), message.c.id.desc())
        .limit(bindparam("limit", type_=Integer))
        .subquery("newest_messages")
    )


def _newest_kept() -> Subquery:
    item = conversation_item.c
    nothing = [null().cast(Text).label(name) for name in _NAMES[1:-1]]
    return (
        select(item.id, *nothing, item.item.label("kept"), item.said_at.label("at"), item.ordinal)
        .where(
            item.tenant_id == bindparam("tenant"),
            item.conversation_id == bindparam("conversation"),
        )
        .order_by(item.said_at.desc(), item.ordinal.desc())
        .limit(bindparam("limit", type_=Integer))
        .subquery("newest_kept")
    )


def deleted_at() -> ColumnElement[Any]:
    """When the conversation was deleted."""
    return (
        select(conversation.c.deleted_at)
        .where(
            conversation.c.tenant_id == bindparam("tenant"),
            conversation.c.id == bindparam("conversation"),
        )
        .scalar_subquery()
        .label("deleted_at")
    )


def of_chain() -> FromClause:
    """What was said before by `previous_response_id`, the newest first."""
    # What a link has to be is each link's own, compared with those of the link after it: given as
    # values, SQLite reads the whole table first to know which ids are worth looking up.
    link = (*(message.c[name] for name in _OF_LINK), *_SAID)
    chain = (
        select(*link, literal(1).label("depth")).where(*is_previous()).cte("chain", recursive=True)
    )
    return chain.union_all(
        select(*link, chain.c.depth + 1)
        .join(chain, message.c.id == chain.c.previous_id)
        .where(
            message.c.tenant_id == chain.c.tenant_id,
            message.c.state == chain.c.state,
            message.c.erased_at.is_not_distinct_from(chain.c.erased_at),
            chain.c.depth < bindparam("limit", type_=Integer),
        )
    )


def is_previous() -> tuple[ColumnElement[bool], ...]:
    """That it is the response that a message names, and one that may be continued."""
    return (
        message.c.id == bindparam("previous"),
        message.c.tenant_id == bindparam("tenant"),
        message.c.state == ResponseState.COMPLETED,
        REMEMBERED,
    )
