"""`client.responses` of openai for Python, waiting or not."""

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

BACKGROUND_LIMIT = {"Prefer": "wait=20"}


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

    async def conversation(self) -> None:
        made = await got(self.client.conversations.create(metadata={"of": "a trial"}))
        await self._ask(NAME, conversation=made.id)
        has((await self._ask(WHO, conversation=made.id)).output_text, TOLD_NAME)
        listed = await got(self.client.conversations.items.list(made.id, order="asc"))
        roles = [item.role for item in listed.data]
        assert roles == ["user", "assistant"] * 2, roles
        assert (await got(self.client.conversations.delete(made.id))).deleted

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

    async def parallel(self) -> None:
        tools = [{"type": "function", **FUNCTION}]
        said: list[Any] = [{"role": "user", "content": BOTH}]
        first = await self._ask(said, tools=tools, parallel_tool_calls=True)
        outputs = [
            {"type": "function_call_output", "call_id": call.call_id, "output": get_weather("Oslo")}
            for call in first.output
        ]
        assert len({output["call_id"] for output in outputs}) == 2, first.output
        last = await self._ask([*said, *first.output, *outputs], tools=tools)
        has(last.output_text, TOLD_WEATHER)

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
        await fails(openai.BadRequestError, bad, "temperature")
        unknown = self._ask(QUESTION, previous_response_id="resp_no")
        await fails(openai.BadRequestError, unknown, "resp_no")
        asked = called(self.stranger.responses.create, model=MODEL, input=QUESTION)
        await fails(openai.AuthenticationError, asked)
