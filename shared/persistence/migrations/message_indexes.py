"""Indexes of `message` that are exchanged while messages go on being accepted."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import sqlalchemy as sa
from alembic import op


class MessageIndex(NamedTuple):
    """An index of the rows that meet the condition."""

    name: str
    columns: tuple[str, ...]
    condition: str


def replace_indexes(old: Iterable[MessageIndex], *, by: Iterable[MessageIndex]) -> None:
    """Build the new ones, then drop the old.

    On Postgres that stops nobody, and ends the transaction that the migration began in. One that a
    broken run left behind, which Postgres calls invalid, is built anew.
    """
    with _online() as concurrently:
        for index in by:
            where = sa.text(index.condition)
            op.drop_index(
                index.name, "message", if_exists=True, postgresql_concurrently=concurrently
            )
            op.create_index(
                index.name,
                "message",
                [*index.columns],
                postgresql_where=where,
                sqlite_where=where,
                postgresql_concurrently=concurrently,
            )
        for index in old:
            op.drop_index(
                index.name, "message", if_exists=True, postgresql_concurrently=concurrently
            )


@contextmanager
def _online() -> Iterator[bool]:
    context = op.get_context()
    if context.dialect.name != "postgresql":
        yield False
        return
    with context.autocommit_block():
        yield True
