"""What both surfaces of openai are asked with, and how they fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel
from talk import (
    ABOUT_WEATHER,
    PARAMETERS,
    got,
    has,
)

FUNCTION = {"name": "get_weather", "description": ABOUT_WEATHER, "parameters": PARAMETERS}


class Author(BaseModel):
    name: str
    year: int


async def called(ask: Callable[..., Any], **fields: Any) -> Any:
    return await got(ask(**fields))


async def fails(kind: type[BaseException], asked: Awaitable[Any], part: str = "") -> None:
    try:
        await asked
    except kind as error:
        has(error, part)
        return
    raise AssertionError(f"no {kind.__name__}")
