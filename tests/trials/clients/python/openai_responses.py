"""`client.responses` of openai for Python, waiting or not."""

from __future__ import annotations

from typing import Any

import openai
import talk
from author import ADA, Author
from openai_shapes import TO_OSLO, responses_output, responses_picture, responses_tools
from talk import each, got, has, raises, user

BACKGROUND_LIMIT = {"Prefer": "wait=20"}


class Responses:
    """`client.responses`."""

    def __init__(self, client: Any, stranger: Any) -> None:
        self.client = client
        self.stranger = stranger

    async def _ask(self, said: Any, **more: Any) -> Any:
        return await got(self.client.responses.create(model=talk.MODEL, input=said, **more))

    async def question(self) -> None:
        has((await self._ask(talk.QUESTION)).output_text, talk.QUESTION)

    async def stream(self) -> None:
        said, kinds = "", []
        async for event in each(await self._ask(talk.STORY, stream=True)):
            kinds.append(event.type)
            said += event.delta if event.type == "response.output_text.delta" else ""
        has(said, talk.STORY)
        assert kinds[-1] == "response.completed", kinds

    async def stream_helper(self) -> None:
        manager = self.client.responses.stream(model=talk.MODEL, input=talk.STORY)
        if hasattr(manager, "__aenter__"):
            async with manager as stream:
                kinds = [event.type async for event in stream]
                final = await stream.get_final_response()
        else:
            with manager as stream:
                kinds = [event.type for event in stream]
                final = stream.get_final_response()
        has(final.output_text, talk.STORY)
        assert kinds[-1] == "response.completed", kinds

    async def turns(self) -> None:
        first = await self._ask(talk.NAME)
        second = await self._ask(talk.WHO, previous_response_id=first.id)
        has(second.output_text, talk.TOLD_NAME)
        said = {"role": "assistant", "content": first.output_text}
        resent = [user(talk.NAME), said, user(talk.WHO)]
        has((await self._ask(resent)).output_text, talk.TOLD_NAME)
        given_back = [user(talk.NAME), *first.output]
        has(
            (await self._ask([*given_back, user(talk.WHO)])).output_text,
            talk.TOLD_NAME,
        )

    async def conversation(self) -> None:
        made = await got(self.client.conversations.create(metadata={"of": "a trial"}))
        await self._ask(talk.NAME, conversation=made.id)
        has((await self._ask(talk.WHO, conversation=made.id)).output_text, talk.TOLD_NAME)
        listed = await got(self.client.conversations.items.list(made.id, order="asc"))
        roles = [item.role for item in listed.data]
        assert roles == ["user", "assistant"] * 2, roles
        assert (await got(self.client.conversations.delete(made.id))).deleted

    async def tools(self) -> None:
        tools = responses_tools(strict=True)
        said: list[Any] = [user(talk.WEATHER)]
        first = await self._ask(said, tools=tools)
        (call,) = [item for item in first.output if item.type == "function_call"]
        assert call.arguments == TO_OSLO, call.arguments
        output = responses_output(call)
        last = await self._ask([*said, *first.output, output], tools=tools)
        has(last.output_text, talk.TOLD_WEATHER)
        stored = await self._ask([output], tools=tools, previous_response_id=first.id)
        has(stored.output_text, talk.TOLD_WEATHER)

    async def streamed_tools(self) -> None:
        tools = responses_tools(strict=True)
        events = [
            event async for event in each(await self._ask(talk.WEATHER, tools=tools, stream=True))
        ]
        (done,) = [e for e in events if e.type == "response.function_call_arguments.done"]
        assert done.arguments == TO_OSLO, done.arguments
        (call,) = events[-1].response.output
        assert call.name == "get_weather", call

    async def parallel(self) -> None:
        tools = responses_tools()
        said: list[Any] = [user(talk.BOTH)]
        first = await self._ask(said, tools=tools, parallel_tool_calls=True)
        outputs = [responses_output(call) for call in first.output]
        assert len({output["call_id"] for output in outputs}) == 2, first.output
        last = await self._ask([*said, *first.output, *outputs], tools=tools)
        has(last.output_text, talk.TOLD_WEATHER)

    async def structured(self) -> None:
        parsed = await got(
            self.client.responses.parse(model=talk.MODEL, input=talk.FIRST, text_format=Author)
        )
        assert parsed.output_parsed == ADA, parsed

    async def image(self) -> None:
        has((await self._ask([user(responses_picture("low"))])).output_text, talk.TOLD_PICTURE)

    async def background(self) -> None:
        queued = await self._ask(talk.QUESTION, background=True)
        assert queued.status == "queued", queued.status
        found = await got(self.client.responses.retrieve(queued.id, extra_headers=BACKGROUND_LIMIT))
        has(found.output_text, talk.QUESTION)

    async def error(self) -> None:
        with raises(openai.BadRequestError, "temperature"):
            await self._ask(talk.QUESTION, temperature=9)
        with raises(openai.BadRequestError, "resp_no"):
            await self._ask(talk.QUESTION, previous_response_id="resp_no")
        with raises(openai.AuthenticationError):
            await got(self.stranger.responses.create(model=talk.MODEL, input=talk.QUESTION))
