"""What became of every message that anybody was told of, counted by the database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import psycopg

_TELL: Final = b'CREATE TEMP TABLE told (id text COLLATE "C")'
_COPY: Final = b"COPY told FROM STDIN"
_COUNTS: Final = b"""
SELECT (SELECT count(*) FROM told),
       (SELECT count(DISTINCT id) FROM told),
       count(*) FILTER (WHERE message.id IS NULL),
       count(*) FILTER (WHERE message.state = 'completed'),
       count(*) FILTER (WHERE message.attempt > 1),
       (SELECT count(*) FROM message),
       (SELECT count(*) FROM dead_letter)
FROM told LEFT JOIN message USING (id)
"""
_ENDS: Final = b"""
SELECT count(*), count(DISTINCT message_id) FROM transition
WHERE after IN ('completed', 'incomplete', 'failed', 'cancelled')
"""


class MillionAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Of one run. The promise held where `is_kept`."""

    told: int
    """Answers of the door with an id of a message."""
    distinct: int
    lost: int
    """Ids that somebody was told and the ledger does not have."""
    completed: int
    turns_begun_again: int
    in_ledger: int
    dead_letters: int
    ended: int
    """Changes of a message to an end, as a trigger of the database saw them."""
    ended_messages: int
    provider_calls: int

    @property
    def is_kept(self) -> bool:
        """Each told message is completed, ended once and was asked of the provider once."""
        counts = (
            self.distinct,
            self.completed,
            self.in_ledger,
            self.ended,
            self.ended_messages,
            self.provider_calls,
        )
        return self.lost == 0 and set(counts) == {self.told}


def account_of(
    connection: psycopg.Connection, told: Path, *, provider_calls: int
) -> MillionAccount:
    """Reads the file of told ids, one a line."""
    connection.execute(_TELL)
    with connection.cursor() as cursor, told.open("rb") as ids, cursor.copy(_COPY) as copy:
        while block := ids.read(2**20):
            copy.write(block)
    counts = connection.execute(_COUNTS).fetchone()
    ends = connection.execute(_ENDS).fetchone()
    assert counts is not None
    assert ends is not None
    names = ("told", "distinct", "lost", "completed", "turns_begun_again", "in_ledger")
    found = dict(zip((*names, "dead_letters"), counts, strict=True))
    return MillionAccount(
        **found, ended=ends[0], ended_messages=ends[1], provider_calls=provider_calls
    )
