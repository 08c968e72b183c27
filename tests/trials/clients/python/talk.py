"""What is said to every client, and how a script of one says what came of it.

A script runs in the client's own environment, where nothing of Forebay can be imported.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

ROOT = os.environ["FRONT_URL"]
"""For clients that put `/v1` behind it themselves."""
URL = f"{ROOT}/v1"
KEY = os.environ["FRONT_KEY"]
WRONG_KEY = "fb_of_nobody"
# One that clients know, since some ask of it what a catalogue of theirs says.
MODEL = "gpt-4o"
HERE: dict[str, Any] = {"base_url": URL, "max_retries": 0, "timeout": 30}
"""What openai's own client is made with, beside a key."""

STEPS = (
    *("question", "stream", "stream_helper", "turns", "conversation"),
    *("tools", "streamed_tools", "parallel"),
    *("structured", "image", "background", "error"),
)
LOOP = asyncio.new_event_loop()

QUESTION = "What is a forebay?"
STORY = "Tell me of forebays, piece by piece."
NAME = "My name is Ada."
WHO = "What is my name?"
WEATHER = "What is the weather in Oslo?"
BOTH = "What is the weather in Bergen and Oslo?"
FIRST = "Who wrote the first program, and when?"
PICTURE = "What does this picture show?"

TOLD_NAME = "Your name is Ada."
TOLD_WEATHER = "Rain is what Oslo has."
TOLD_PICTURE = "A single red pixel."
OUTPUT = "rain all day"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8"
    "z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
IMAGE_URL = f"data:image/png;base64,{PNG}"

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
ABOUT_WEATHER = "The weather in a city."


def get_weather(city: str) -> str:
    """The weather in a city."""
    assert city in ("Oslo", "Bergen"), city
    return OUTPUT


def user(content: Any) -> dict[str, Any]:
    """A message of the user, as every surface has it."""
    return {"role": "user", "content": content}


def has(text: Any, part: str) -> None:
    """Fails with what was there instead."""
    assert part in str(text), f"{part!r} is not in {text!r}"


def put_through(row: str, client: Any) -> None:
    """Take what this client can of the steps, and print a line of JSON for each."""
    for step in STEPS:
        if hasattr(client, step):
            said = _taken(getattr(client, step))
            print(json.dumps({"row": row, "step": step, "said": said}), flush=True)


def _taken(take: Callable[[], Any]) -> str:
    """What was wrong; empty where nothing was."""
    try:
        if inspect.iscoroutine(taken := take()):
            LOOP.run_until_complete(taken)
    except BaseException as error:  # noqa: BLE001 - the border of one step
        if os.environ.get("FRONT_TRACEBACKS"):
            traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    return ""


@contextmanager
def raises(kind: type[BaseException], part: str = "") -> Iterator[None]:
    """That it is this error, and that its words are ours."""
    try:
        yield
    except kind as error:
        has(error, part)
        return
    raise AssertionError(f"no {kind.__name__}")


async def got(answer: Any) -> Any:
    """Of a client that waits itself or lets us wait."""
    return await answer if inspect.isawaitable(answer) else answer


async def each(stream: Any) -> AsyncIterator[Any]:
    """The pieces of a stream of either kind."""
    if hasattr(stream, "__aiter__"):
        async for piece in stream:
            yield piece
        return
    for piece in stream:
        yield piece
