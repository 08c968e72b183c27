"""`client.chat.completions` of openai for Python, waiting or not."""

from __future__ import annotations

from typing import Any

import openai
import talk
from author import ADA, Author
from openai_shapes import TO_OSLO, chat_output, chat_picture, chat_tools
from talk import each, got, has, raises, user


class Chat:
    """`client.chat.completions`."""

    def __init__(self, client: Any, stranger: Any) -> None:
        self.client = client
        self.stranger = stranger

    async def _ask(self, said: Any, **more: Any) -> Any:
        messages = [user(said)] if isinstance(said, str) else said
        asked = self.client.chat.completions.create(model=talk.MODEL, messages=messages, **more)
        return await got(asked)

    async def _told(self, said: Any, **more: Any) -> Any:
        return (await self._ask(said, **more)).choices[0].message

    async def question(self) -> None:
        has((await self._told(talk.QUESTION)).content, talk.QUESTION)

    async def stream(self) -> None:
        said, usage = "", None
        asked = await self._ask(talk.STORY, stream=True, stream_options={"include_usage": True})
        async for chunk in each(asked):
            said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            usage = chunk.usage or usage
        has(said, talk.STORY)
        assert usage is not None

    async def turns(self) -> None:
        first = await self._told(talk.NAME)
        said = [user(talk.NAME), first, user(talk.WHO)]
        has((await self._told(said)).content, talk.TOLD_NAME)

    async def tools(self) -> None:
        tools = chat_tools(strict=True)
        said: list[Any] = [user(talk.WEATHER)]
        first = await self._told(said, tools=tools, parallel_tool_calls=False)
        (call,) = first.tool_calls
        assert call.function.arguments == TO_OSLO, call
        has(
            (await self._told([*said, first, chat_output(call)], tools=tools)).content,
            talk.TOLD_WEATHER,
        )

    async def streamed_tools(self) -> None:
        tools = chat_tools()
        arguments, finish = "", None
        async for chunk in each(await self._ask(talk.WEATHER, tools=tools, stream=True)):
            for choice in chunk.choices:
                for call in choice.delta.tool_calls or []:
                    arguments += call.function.arguments or ""
                finish = choice.finish_reason or finish
        assert (arguments, finish) == (TO_OSLO, "tool_calls"), (arguments, finish)

    async def parallel(self) -> None:
        tools = chat_tools()
        said: list[Any] = [user(talk.BOTH)]
        first = await self._told(said, tools=tools)
        outputs = [chat_output(call) for call in first.tool_calls]
        assert len(outputs) == 2, first
        has((await self._told([*said, first, *outputs], tools=tools)).content, talk.TOLD_WEATHER)

    async def structured(self) -> None:
        # Where it was still only tried, it has that name.
        completions = self.client.chat.completions
        if not hasattr(completions, "parse"):
            completions = self.client.beta.chat.completions
        messages = [user(talk.FIRST)]
        asked = completions.parse(model=talk.MODEL, messages=messages, response_format=Author)
        parsed = (await got(asked)).choices[0].message.parsed
        assert parsed == ADA, parsed

    async def image(self) -> None:
        has((await self._told([user(chat_picture(detail="low"))])).content, talk.TOLD_PICTURE)

    async def error(self) -> None:
        with raises(openai.BadRequestError, "temperature"):
            await self._ask(talk.QUESTION, temperature=9)
        asked = self.stranger.chat.completions.create
        with raises(openai.AuthenticationError):
            await got(asked(model=talk.MODEL, messages=[user(talk.QUESTION)]))
