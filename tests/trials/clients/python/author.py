"""The structure that is asked for, and the one that comes."""

from __future__ import annotations

from pydantic import BaseModel


class Author(BaseModel):
    """Who wrote something, and when."""

    name: str
    year: int


ADA = Author(name="Ada", year=1843)
