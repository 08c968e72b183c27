"""Anthropic's own client for Python, waiting and not, and the tool loop that it brings."""

from __future__ import annotations

from typing import Any

import anthropic
from pydantic import BaseModel
from talk import (
    ABOUT_WEATHER,
    BOTH,
    FIRST,
    KEY,
    MODEL,
    NAME,
    PARAMETERS,
    PICTURE,
    PNG,
    QUESTION,
    ROOT,
    STORY,
    TOLD_NAME,
    TOLD_PICTURE,
    TOLD_WEATHER,
    WEATHER,
    WHO,
    WRONG_KEY,
    each,
    get_weather,
    got,
    has,
    put_through,
)

TOOLS = [{"name": "get_weather", "description": ABOUT_WEATHER, "input_schema": PARAMETERS}]


class Author(BaseModel):
    name: str
    year: int


class Messages:
    """`client.messages`."""

    def __init__(self, kind: type[anthropic.Anthropic | anthropic.AsyncAnthropic]) -> None:
        self.client, self.stranger = (
            kind(base_url=ROOT, api_key=key, max_retries=0, timeout=30) for key in (KEY, WRONG_KEY)
        )

    async def _ask(self, *said: Any, client: Any = None, **more: Any) -> Any:
        messages = [{"role": "user", "content": said[0]}, *said[1:]]
        asking = {"model": MODEL, "max_tokens": 99, "messages": messages, **more}
        return await got((client or self.client).messages.create(**asking))

    async def question(self) -> None:
        has((await self._ask(QUESTION, system="Be brief.")).content[0].text, QUESTION)

    async def stream(self) -> None:
        said = ""
        async for event in each(await self._ask(STORY, stream=True)):
            if event.type == "content_block_delta":
                said += event.delta.text
        has(said, STORY)

    async def stream_helper(self) -> None:
        message = await self._streamed(STORY)
        has(message.content[0].text, STORY)
        assert message.stop_reason == "end_turn", message

    async def turns(self) -> None:
        first = await self._ask(NAME)
        kept = {"role": "assistant", "content": first.content}
        last = await self._ask(NAME, kept, {"role": "user", "content": WHO})
        has(last.content[0].text, TOLD_NAME)

    async def tools(self) -> None:
        await self._answer(WEATHER, await self._ask(WEATHER, tools=TOOLS), calls=1)

    async def streamed_tools(self) -> None:
        await self._answer(WEATHER, await self._streamed(WEATHER, tools=TOOLS), calls=1)

    async def parallel(self) -> None:
        await self._answer(BOTH, await self._ask(BOTH, tools=TOOLS), calls=2)

    async def structured(self) -> None:
        schema = Author.model_json_schema()
        form = {"name": "author", "input_schema": schema}
        choice = {"type": "tool", "name": "author"}
        (use,) = (await self._ask(FIRST, tools=[form], tool_choice=choice)).content
        assert Author(**use.input) == Author(name="Ada", year=1843), use

    async def image(self) -> None:
        source = {"type": "base64", "media_type": "image/png", "data": PNG}
        parts = [{"type": "image", "source": source}, {"type": "text", "text": PICTURE}]
        has((await self._ask(parts)).content[0].text, TOLD_PICTURE)

    async def error(self) -> None:
        try:
            await self._ask(QUESTION, extra_body={"temperature": 9})
            raise AssertionError("no BadRequestError")
        except anthropic.BadRequestError as error:
            has(error, "temperature")
        try:
            await self._ask(QUESTION, client=self.stranger)
            raise AssertionError("no AuthenticationError")
        except anthropic.AuthenticationError as error:
            has(error, "key")

    async def _streamed(self, said: str, **more: Any) -> Any:
        messages = [{"role": "user", "content": said}]
        asked = self.client.messages.stream(model=MODEL, max_tokens=99, messages=messages, **more)
        if hasattr(asked, "__aenter__"):
            async with asked as stream:
                return await stream.get_final_message()
        with asked as stream:
            return stream.get_final_message()

    async def _answer(self, said: str, first: Any, *, calls: int) -> None:
        uses = [block for block in first.content if block.type == "tool_use"]
        assert (first.stop_reason, len(uses)) == ("tool_use", calls), first
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": get_weather(**use.input)}
            for use in uses
        ]
        kept = {"role": "assistant", "content": first.content}
        last = await self._ask(said, kept, {"role": "user", "content": results}, tools=TOOLS)
        has(last.content[0].text, TOLD_WEATHER)


def main() -> None:
    put_through("anthropic", Messages(anthropic.Anthropic))
    put_through("anthropic async", Messages(anthropic.AsyncAnthropic))


if __name__ == "__main__":
    main()
