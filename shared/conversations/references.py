"""Items of earlier messages by their ids: what was sent, and what was answered."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Row, Select, bindparam, case, func, select

from shared.errors import TooLarge
from shared.identifiers import FUNCTION_CALL, ITEM, OUTPUT_MESSAGE, REASONING, RESPONSE
from shared.messages.item import Item
from shared.messages.output import asked_by_id, said_by_id
from shared.messages.stored_body import decode_body
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import REMEMBERED, message

_OURS: Final = re.compile(
    rf"({OUTPUT_MESSAGE}|{FUNCTION_CALL}|{REASONING}|{ITEM})_([0-9a-f]{{32}})(?:_[0-9]{{1,6}})?"
)


class ReferencedItems:
    """Finds items within a tenant, all that are asked for in one or two statements.

    The id of an item tells its message's, so each is found by a primary key. Ids that callers gave
    their own items tell nothing and find nothing. Raises LedgerUnavailable.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed
        self._wanted = IdList(database.relaxed.dialect)
        self._asked = self._query(message.c.body)
        self._said = self._query(message.c.output_text, message.c.output_items)

    async def find(
        self, item_ids: Iterable[str], *, tenant_id: str, limit_bytes: int
    ) -> dict[str, Item]:
        """Those that there are, by their ids.

        Raises TooLarge where their messages are larger than `limit_bytes` in all, before any of
        them is read.
        """
        asked, said = set[str](), set[str]()
        for item_id in item_ids:
            if found := _OURS.fullmatch(item_id):
                (asked if found[1] == ITEM else said).add(f"{RESPONSE}_{found[2]}")
        values = {"tenant": tenant_id, "limit_bytes": limit_bytes}
        items = dict[str, Item]()
        for row in await self._rows(self._asked, asked, values):
            items.update(asked_by_id(row.id, decode_body(row.body.encode()).input))
        for row in await self._rows(self._said, said, values):
            items.update(said_by_id(row.id, row.output_text, row.output_items))
        return items

    async def _rows(
        self, query: Select[Any], ids: set[str], values: dict[str, Any]
    ) -> Sequence[Row[Any]]:
        if not ids:
            return []
        parameters = self._wanted.parameters(sorted(ids)) | values
        async with reading(self._engine) as connection:
            rows = [*await connection.execute(query, parameters)]
        if any(row.bytes > values["limit_bytes"] for row in rows):
            raise TooLarge(
                f"'input' refers to items of messages that are larger than "
                f"{values['limit_bytes']} bytes in all. Refer to fewer.",
                param="input",
            )
        return rows

    def _query(self, *columns: Column[Any]) -> Select[Any]:
        # The sum runs where the rows are: what is too large is not sent to find that out.
        lengths = [func.coalesce(func.length(each), 0) for each in columns]
        total = func.sum(reduce(operator.add, lengths)).over(order_by=message.c.id).label("bytes")
        sized = (
            select(message.c.id, *columns, total)
            .where(
                self._wanted.holds(message.c.id),
                message.c.tenant_id == bindparam("tenant"),
                REMEMBERED,
            )
            .subquery("sized")
        )
        fits = sized.c.bytes <= bindparam("limit_bytes", type_=BigInteger)
        told = (case((fits, sized.c[each.name])).label(each.name) for each in columns)
        return select(sized.c.id, sized.c.bytes, *told)
