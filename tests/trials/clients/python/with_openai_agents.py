"""OpenAI's Agents SDK over both surfaces; it takes the two turns of a tool by itself."""

from __future__ import annotations

from typing import Any

import openai
import talk
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    Runner,
    SQLiteSession,
    function_tool,
    set_tracing_disabled,
)
from author import ADA, Author
from openai_shapes import responses_picture
from talk import get_weather, has, put_through, raises, user


class Agents:
    def __init__(self, kind: type[OpenAIResponsesModel | OpenAIChatCompletionsModel]) -> None:
        self.kind = kind

    def _agent(self, *, key: str = talk.KEY, **more: Any) -> Agent:
        client = openai.AsyncOpenAI(api_key=key, **talk.HERE)
        return Agent(name="a", model=self.kind(talk.MODEL, openai_client=client), **more)

    async def _ask(self, said: Any, **more: Any) -> Any:
        return (await Runner.run(self._agent(**more), said)).final_output

    async def question(self) -> None:
        has(await self._ask(talk.QUESTION), talk.QUESTION)

    async def stream(self) -> None:
        streamed = Runner.run_streamed(self._agent(), talk.STORY)
        kinds = [event.type async for event in streamed.stream_events()]
        has(streamed.final_output, talk.STORY)
        assert "raw_response_event" in kinds, kinds

    async def turns(self) -> None:
        session = SQLiteSession("a")
        await Runner.run(self._agent(), talk.NAME, session=session)
        has(
            (await Runner.run(self._agent(), talk.WHO, session=session)).final_output,
            talk.TOLD_NAME,
        )

    async def tools(self) -> None:
        has(await self._ask(talk.WEATHER, tools=[function_tool(get_weather)]), talk.TOLD_WEATHER)

    async def streamed_tools(self) -> None:
        agent = self._agent(tools=[function_tool(get_weather)])
        streamed = Runner.run_streamed(agent, talk.WEATHER)
        names = [
            e.name async for e in streamed.stream_events() if e.type == "run_item_stream_event"
        ]
        assert names == ["tool_called", "tool_output", "message_output_created"], names
        has(streamed.final_output, talk.TOLD_WEATHER)

    async def parallel(self) -> None:
        has(await self._ask(talk.BOTH, tools=[function_tool(get_weather)]), talk.TOLD_WEATHER)

    async def structured(self) -> None:
        told = await self._ask(talk.FIRST, output_type=Author)
        assert told == ADA, told

    async def image(self) -> None:
        has(await self._ask([user(responses_picture("auto"))]), talk.TOLD_PICTURE)

    def error(self) -> None:
        bad = self._agent(model_settings=ModelSettings(temperature=9))
        with raises(openai.BadRequestError, "temperature"):
            Runner.run_sync(bad, talk.QUESTION)
        stranger = self._agent(key=talk.WRONG_KEY)
        with raises(openai.AuthenticationError):
            Runner.run_sync(stranger, talk.QUESTION)


class AgentsOverResponses(Agents):
    """Its chat model takes no item without an id, and its sessions take the ids away."""

    async def conversation(self) -> None:
        client = openai.AsyncOpenAI(api_key=talk.KEY, **talk.HERE)
        session = OpenAIConversationsSession(openai_client=client)
        tools = {"tools": [function_tool(get_weather)]}
        await Runner.run(self._agent(**tools), talk.WEATHER, session=session)
        await Runner.run(self._agent(), talk.NAME, session=session)
        has(
            (await Runner.run(self._agent(), talk.WHO, session=session)).final_output,
            talk.TOLD_NAME,
        )
        assert len(await session.get_items()) == 8

    async def turns(self) -> None:
        await super().turns()
        first = await Runner.run(self._agent(), talk.NAME)
        chained = await Runner.run(
            self._agent(), talk.WHO, previous_response_id=first.last_response_id
        )
        has(chained.final_output, talk.TOLD_NAME)


def main() -> None:
    set_tracing_disabled(True)
    put_through("OpenAI Agents SDK, responses", AgentsOverResponses(OpenAIResponsesModel))
    put_through("OpenAI Agents SDK, chat", Agents(OpenAIChatCompletionsModel))


if __name__ == "__main__":
    main()
