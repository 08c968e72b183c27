"""OpenAI's Agents SDK over both surfaces; it takes the two turns of a tool by itself."""

from __future__ import annotations

from typing import Any

import openai
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
from pydantic import BaseModel
from talk import (
    BOTH,
    FIRST,
    IMAGE_URL,
    KEY,
    MODEL,
    NAME,
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
    get_weather,
    has,
    put_through,
    raises,
)


class Author(BaseModel):
    name: str
    year: int


class Agents:
    def __init__(self, kind: type[OpenAIResponsesModel | OpenAIChatCompletionsModel]) -> None:
        self.kind = kind

    def _agent(self, *, key: str = KEY, **more: Any) -> Agent:
        client = openai.AsyncOpenAI(base_url=URL, api_key=key, max_retries=0, timeout=30)
        return Agent(name="a", model=self.kind(MODEL, openai_client=client), **more)

    async def _ask(self, said: Any, **more: Any) -> Any:
        return (await Runner.run(self._agent(**more), said)).final_output

    async def question(self) -> None:
        has(await self._ask(QUESTION), QUESTION)

    async def stream(self) -> None:
        streamed = Runner.run_streamed(self._agent(), STORY)
        kinds = [event.type async for event in streamed.stream_events()]
        has(streamed.final_output, STORY)
        assert "raw_response_event" in kinds, kinds

    async def turns(self) -> None:
        session = SQLiteSession("a")
        await Runner.run(self._agent(), NAME, session=session)
        has((await Runner.run(self._agent(), WHO, session=session)).final_output, TOLD_NAME)

    async def tools(self) -> None:
        has(await self._ask(WEATHER, tools=[function_tool(get_weather)]), TOLD_WEATHER)

    async def streamed_tools(self) -> None:
        agent = self._agent(tools=[function_tool(get_weather)])
        streamed = Runner.run_streamed(agent, WEATHER)
        names = [
            e.name async for e in streamed.stream_events() if e.type == "run_item_stream_event"
        ]
        assert names == ["tool_called", "tool_output", "message_output_created"], names
        has(streamed.final_output, TOLD_WEATHER)

    async def parallel(self) -> None:
        has(await self._ask(BOTH, tools=[function_tool(get_weather)]), TOLD_WEATHER)

    async def structured(self) -> None:
        told = await self._ask(FIRST, output_type=Author)
        assert told == Author(name="Ada", year=1843), told

    async def image(self) -> None:
        parts = [
            {"type": "input_text", "text": PICTURE},
            {"type": "input_image", "image_url": IMAGE_URL, "detail": "auto"},
        ]
        has(await self._ask([{"role": "user", "content": parts}]), TOLD_PICTURE)

    def error(self) -> None:
        bad = self._agent(model_settings=ModelSettings(temperature=9))
        raises(openai.BadRequestError, lambda: Runner.run_sync(bad, QUESTION), "temperature")
        stranger = self._agent(key=WRONG_KEY)
        raises(openai.AuthenticationError, lambda: Runner.run_sync(stranger, QUESTION))


class AgentsOverResponses(Agents):
    """Its chat model takes no item without an id, and its sessions take the ids away."""

    async def conversation(self) -> None:
        client = openai.AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)
        session = OpenAIConversationsSession(openai_client=client)
        tools = {"tools": [function_tool(get_weather)]}
        await Runner.run(self._agent(**tools), WEATHER, session=session)
        await Runner.run(self._agent(), NAME, session=session)
        has((await Runner.run(self._agent(), WHO, session=session)).final_output, TOLD_NAME)
        assert len(await session.get_items()) == 8

    async def turns(self) -> None:
        await super().turns()
        first = await Runner.run(self._agent(), NAME)
        chained = await Runner.run(self._agent(), WHO, previous_response_id=first.last_response_id)
        has(chained.final_output, TOLD_NAME)


def main() -> None:
    set_tracing_disabled(True)
    put_through("OpenAI Agents SDK, responses", AgentsOverResponses(OpenAIResponsesModel))
    put_through("OpenAI Agents SDK, chat", Agents(OpenAIChatCompletionsModel))


if __name__ == "__main__":
    main()
