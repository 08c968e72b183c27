"""The table of what has ended and is in no figure yet."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Integer, Table, Text

from shared.persistence.tables import metadata

# Appended in the transaction of each end, and taken out by whoever folds: nobody changes a row, so
# no two processes ever wait for one. It has no index but its key, and nothing that was said.
rollup_delta = Table(
    "rollup_delta",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True),
    Column("figures", Text, nullable=False),
)
