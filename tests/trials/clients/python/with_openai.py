"""openai for Python, whatever its version: both surfaces, waiting and not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import openai
from pydantic import BaseModel
from talk import (
    ABOUT_WEATHER,
    FIRST,
    IMAGE_URL,
    KEY,
    MODEL,
    NAME,
    PARAMETERS,
    PICTURE,
    QUESTION,
    STORY,
    TOLD_NAME,
    TOLD_PICTURE,
    TOLD_WEATHER,
    URL,
    WEATHER,
    WHO,
    WRONG_KEY,
    each,
    get_weather,
    got,
    has,
    put_through,
)

FUNCTION = {"name": "get_weather", "description": ABOUT_WEATHER, "parameters": PARAMETERS}
BACKGROUND_LIMIT = {"Prefer": "wait=20"}


class Author(BaseModel):
    name: str
    year: int


class Responses:
    """`client.responses`."""

    def __init__(self, client: Any, stranger: Any) -> None:
        self.client = client
        self.stranger = stranger

    async def _ask(self, said: Any, **more: Any) -> Any:
        return await got(self.client.responses.create(model=MODEL, input=said, **more))

    async def question(self) -> None:
        has((await self._ask(QUESTION)).output_text, QUESTION)

    async def stream(self) -> None:
        said, kinds = "", []
        async for event in each(await self._ask(STORY, stream=True)):
            kinds.append(event.type)
            said += event.delta if event.type == "response.output_text.delta" else ""
        has(said, STORY)
        assert kinds[-1] == "response.completed", kinds

    async def stream_helper(self) -> None:
        manager = self.client.responses.stream(model=MODEL, input=STORY)
        if hasattr(manager, "__aenter__"):
            async with manager as stream:
                kinds = [event.type async for event in stream]
                final = await stream.get_final_response()
        else:
            with manager as stream:
                kinds = [event.type for event in stream]
                final = stream.get_final_response()
        has(final.output_text, STORY)
        assert kinds[-1] == "response.completed", kinds

    async def turns(self) -> None:
        first = await self._ask(NAME)
        second = await self._ask(WHO, previous_response_id=first.id)
        has(second.output_text, TOLD_NAME)
        said = {"role": "assistant", "content": first.output_text}
        resent = [{"role": "user", "content": NAME}, said, {"role": "user", "content": WHO}]
        has((await self._ask(resent)).output_text, TOLD_NAME)
        given_back = [{"role": "user", "content": NAME}, *first.output]
        has(
            (await self._ask([*given_back, {"role": "user", "content": WHO}])).output_text,
            TOLD_NAME,
        )

    async def tools(self) -> None:
        tools = [{"type": "function", "strict": True, **FUNCTION}]
        said: list[Any] = [{"role": "user", "content": WEATHER}]
        first = await self._ask(said, tools=tools)
        (call,) = [item for item in first.output if item.type == "function_call"]
        assert call.arguments == '{"city":"Oslo"}', call.arguments
        output = {"type": "function_call_output", "call_id": call.call_id}
        output["output"] = get_weather("Oslo")
        last = await self._ask([*said, *first.output, output], tools=tools)
        has(last.output_text, TOLD_WEATHER)
        stored = await self._ask([output], tools=tools, previous_response_id=first.id)
        has(stored.output_text, TOLD_WEATHER)

    async def streamed_tools(self) -> None:
        tools = [{"type": "function", "strict": True, **FUNCTION}]
        events = [event async for event in each(await self._ask(WEATHER, tools=tools, stream=True))]
        (done,) = [e for e in events if e.type == "response.function_call_arguments.done"]
        assert done.arguments == '{"city":"Oslo"}', done.arguments
        (call,) = events[-1].response.output
        assert call.name == "get_weather", call

    async def structured(self) -> None:
        parsed = await got(
            self.client.responses.parse(model=MODEL, input=FIRST, text_format=Author)
        )
        assert parsed.output_parsed == Author(name="Ada", year=1843), parsed

    async def image(self) -> None:
        parts = [
            {"type": "input_text", "text": PICTURE},
            {"type": "input_image", "image_url": IMAGE_URL, "detail": "low"},
        ]
        has((await self._ask([{"role": "user", "content": parts}])).output_text, TOLD_PICTURE)

    async def background(self) -> None:
        queued = await self._ask(QUESTION, background=True)
        assert queued.status == "queued", queued.status
        found = await got(self.client.responses.retrieve(queued.id, extra_headers=BACKGROUND_LIMIT))
        has(found.output_text, QUESTION)

    async def error(self) -> None:
        bad = self._ask(QUESTION, temperature=9)
        await _raises(openai.BadRequestError, bad, "temperature")
        unknown = self._ask(QUESTION, previous_response_id="resp_no")
        await _raises(openai.BadRequestError, unknown, "resp_no")
        asked = _called(self.stranger.responses.create, model=MODEL, input=QUESTION)
        await _raises(openai.AuthenticationError, asked)


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
        await _raises(openai.BadRequestError, self._ask(QUESTION, temperature=9), "temperature")
        messages = [{"role": "user", "content": QUESTION}]
        asked = self.stranger.chat.completions.create
        await _raises(openai.AuthenticationError, _called(asked, model=MODEL, messages=messages))


async def _called(ask: Callable[..., Any], **fields: Any) -> Any:
    return await got(ask(**fields))


async def _raises(kind: type[BaseException], asked: Awaitable[Any], part: str = "") -> None:
    try:
        await asked
    except kind as error:
        has(error, part)
        return
    raise AssertionError(f"no {kind.__name__}")


def main() -> None:
    major = openai.__version__.partition(".")[0]
    for kind, word in ((openai.OpenAI, ""), (openai.AsyncOpenAI, " async")):
        client, stranger = (
            kind(base_url=URL, api_key=key, max_retries=0, timeout=30) for key in (KEY, WRONG_KEY)
        )
        for surface in (Responses(client, stranger), Chat(client, stranger)):
            put_through(f"openai {major}{word}, {type(surface).__name__.lower()}", surface)


if __name__ == "__main__":
    main()
