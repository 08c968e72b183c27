"""Anthropic's own client for Python, waiting and not, and the tool loop that it brings."""

from __future__ import annotations

from typing import Any

import anthropic
import talk
from author import ADA, Author
from talk import each, get_weather, got, has, put_through, raises, user

HERE = talk.HERE | {"base_url": talk.ROOT}
TOOLS = [
    {"name": "get_weather", "description": talk.ABOUT_WEATHER, "input_schema": talk.PARAMETERS}
]


class Messages:
    """`client.messages`."""

    def __init__(self, kind: type[anthropic.Anthropic | anthropic.AsyncAnthropic]) -> None:
        self.client, self.stranger = (
            kind(api_key=key, **HERE) for key in (talk.KEY, talk.WRONG_KEY)
        )

    async def _ask(self, *said: Any, client: Any = None, **more: Any) -> Any:
        messages = [user(said[0]), *said[1:]]
        asking = {"model": talk.MODEL, "max_tokens": 99, "messages": messages, **more}
        return await got((client or self.client).messages.create(**asking))

    async def question(self) -> None:
        has((await self._ask(talk.QUESTION, system="Be brief.")).content[0].text, talk.QUESTION)

    async def stream(self) -> None:
        said = ""
        async for event in each(await self._ask(talk.STORY, stream=True)):
            if event.type == "content_block_delta":
                said += event.delta.text
        has(said, talk.STORY)

    async def stream_helper(self) -> None:
        message = await self._streamed(talk.STORY)
        has(message.content[0].text, talk.STORY)
        assert message.stop_reason == "end_turn", message

    async def turns(self) -> None:
        first = await self._ask(talk.NAME)
        kept = {"role": "assistant", "content": first.content}
        last = await self._ask(talk.NAME, kept, user(talk.WHO))
        has(last.content[0].text, talk.TOLD_NAME)

    async def tools(self) -> None:
        await self._answer(talk.WEATHER, await self._ask(talk.WEATHER, tools=TOOLS), calls=1)

    async def streamed_tools(self) -> None:
        await self._answer(talk.WEATHER, await self._streamed(talk.WEATHER, tools=TOOLS), calls=1)

    async def parallel(self) -> None:
        await self._answer(talk.BOTH, await self._ask(talk.BOTH, tools=TOOLS), calls=2)

    async def structured(self) -> None:
        schema = Author.model_json_schema()
        form = {"name": "author", "input_schema": schema}
        choice = {"type": "tool", "name": "author"}
        (use,) = (await self._ask(talk.FIRST, tools=[form], tool_choice=choice)).content
        assert Author(**use.input) == ADA, use

    async def image(self) -> None:
        source = {"type": "base64", "media_type": "image/png", "data": talk.PNG}
        parts = [{"type": "image", "source": source}, {"type": "text", "text": talk.PICTURE}]
        has((await self._ask(parts)).content[0].text, talk.TOLD_PICTURE)

    async def error(self) -> None:
        with raises(anthropic.BadRequestError, "temperature"):
            await self._ask(talk.QUESTION, extra_body={"temperature": 9})
        with raises(anthropic.AuthenticationError, "key"):
            await self._ask(talk.QUESTION, client=self.stranger)

    async def _streamed(self, said: str, **more: Any) -> Any:
        messages = [user(said)]
        asked = self.client.messages.stream(
            model=talk.MODEL, max_tokens=99, messages=messages, **more
        )
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
        last = await self._ask(said, kept, user(results), tools=TOOLS)
        has(last.content[0].text, talk.TOLD_WEATHER)


def main() -> None:
    put_through("anthropic", Messages(anthropic.Anthropic))
    put_through("anthropic async", Messages(anthropic.AsyncAnthropic))


if __name__ == "__main__":
    main()
