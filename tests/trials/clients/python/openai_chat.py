"""`client.chat.completions` of openai for Python, waiting or not."""

from __future__ import annotations

from typing import Any

import openai
from openai_asked import FUNCTION, Author, called, fails
from talk import (
    BOTH,
    FIRST,
    IMAGE_URL,
    MODEL,
    NAME,
    PICTURE,
    QUESTION,
    STORY,
    TOLD_NAME,
    TOLD_PICTURE,
    TOLD_WEATHER,
    WEATHER,
    WHO,
    each,
    get_weather,
    got,
    has,
)


class Chat:
    """`client.chat.completions`."""

    def __init__(self, client: Any, stranger: Any) -> None:
        self.client = client
        self.stranger = stranger

    async def _ask(self, said: Any, **more: Any) -> Any:
        messages = [{"role": "user", "content": said}] if isinstance(said, str) else said
        asked = self.client.chat.completions.create(model=MODEL, messages=messages, **more)
        return await got(asked)

    async def _told(self, said: Any, **more: Any) -> Any:
        return (await self._ask(said, **more)).choices[0].message

    async def question(self) -> None:
        has((await self._told(QUESTION)).content, QUESTION)

    async def stream(self) -> None:
        said, usage = "", None
        asked = await self._ask(STORY, stream=True, stream_options={"include_usage": True})
        async for chunk in each(asked):
            said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            usage = chunk.usage or usage
        has(said, STORY)
        assert usage is not None

    async def turns(self) -> None:
        first = await self._told(NAME)
        said = [{"role": "user", "content": NAME}, first, {"role": "user", "content": WHO}]
        has((await self._told(said)).content, TOLD_NAME)

    async def tools(self) -> None:
        tools = [{"type": "function", "function": {**FUNCTION, "strict": True}}]
        said: list[Any] = [{"role": "user", "content": WEATHER}]
        first = await self._told(said, tools=tools, parallel_tool_calls=False)
        (call,) = first.tool_calls
        assert call.function.arguments == '{"city":"Oslo"}', call
        output = {"role": "tool", "tool_call_id": call.id, "content": get_weather("Oslo")}
        has((await self._told([*said, first, output], tools=tools)).content, TOLD_WEATHER)

    async def streamed_tools(self) -> None:
        tools = [{"type": "function", "function": FUNCTION}]
        arguments, finish = "", None
        async for chunk in each(await self._ask(WEATHER, tools=tools, stream=True)):
            for choice in chunk.choices:
                for call in choice.delta.tool_calls or []:
                    arguments += call.function.arguments or ""
                finish = choice.finish_reason or finish
        assert (arguments, finish) == ('{"city":"Oslo"}', "tool_calls"), (arguments, finish)

    async def parallel(self) -> None:
        tools = [{"type": "function", "function": FUNCTION}]
        said: list[Any] = [{"role": "user", "content": BOTH}]
        first = await self._told(said, tools=tools)
        outputs = [
            {"role": "tool", "tool_call_id": call.id, "content": get_weather("Oslo")}
            for call in first.tool_calls
        ]
        assert len(outputs) == 2, first
        has((await self._told([*said, first, *outputs], tools=tools)).content, TOLD_WEATHER)

    async def structured(self) -> None:
        # Where it was still only tried, it has that name.
        completions = self.client.chat.completions
        if not hasattr(completions, "parse"):
            completions = self.client.beta.chat.completions
        messages = [{"role": "user", "content": FIRST}]
        asked = completions.parse(model=MODEL, messages=messages, response_format=Author)
        parsed = (await got(asked)).choices[0].message.parsed
        assert parsed == Author(name="Ada", year=1843), parsed

    async def image(self) -> None:
        parts = [
            {"type": "text", "text": PICTURE},
            {"type": "image_url", "image_url": {"url": IMAGE_URL, "detail": "low"}},
        ]
        has((await self._told([{"role": "user", "content": parts}])).content, TOLD_PICTURE)

    async def error(self) -> None:
        await fails(openai.BadRequestError, self._ask(QUESTION, temperature=9), "temperature")
        messages = [{"role": "user", "content": QUESTION}]
        asked = self.stranger.chat.completions.create
        await fails(openai.AuthenticationError, called(asked, model=MODEL, messages=messages))
