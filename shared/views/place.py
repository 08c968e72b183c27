"""A place in a list that is in the order of a time: where its next page begins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self

import msgspec
from sqlalchemy import Column, ColumnElement, literal, tuple_

from shared.errors import InvalidRequest
from shared.storable_text import is_storable

_BETWEEN = "~"


class Place(msgspec.Struct, frozen=True):
    """The last row that was shown; `id` tells those of one time apart."""

    at: datetime
    id: str

    @classmethod
    def read(cls, told: str) -> Self:
        """What `told` gave; raises InvalidRequest for anything else."""
        at, _, identifier = told.partition(_BETWEEN)
        try:
            moment = datetime.fromisoformat(at)
            known = moment.tzinfo is not None and moment.astimezone(UTC)
        except (ValueError, OverflowError):
            known = False
        if not known or not identifier or not is_storable(identifier):
            raise InvalidRequest(
                "'before' is no place in this list. Give the 'next' of the page before, unchanged.",
                param="before",
            )
        return cls(known, identifier)

    def told(self) -> str:
        """It as one word, which `read` takes."""
        return f"{self.at.isoformat()}{_BETWEEN}{self.id}"

    def row(self, at: Column[Any], identifier: Column[Any]) -> ColumnElement[Any]:
        """It beside a row of these columns, to compare with."""
        return tuple_(literal(self.at, at.type), literal(self.id, identifier.type))
