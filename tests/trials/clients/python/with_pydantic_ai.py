"""pydantic-ai over both surfaces; it takes the two turns of a tool by itself."""

from __future__ import annotations

import base64

from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput, ToolOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from talk import (
    BOTH,
    FIRST,
    KEY,
    MODEL,
    NAME,
    PICTURE,
    PNG,
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


class PydanticAI:
    def __init__(self, kind: type[OpenAIChatModel | OpenAIResponsesModel]) -> None:
        self.kind = kind
        self.agent = Agent(self._model())

    def _model(self, key: str = KEY) -> Model:
        client = AsyncOpenAI(base_url=URL, api_key=key, max_retries=0, timeout=30)
        return self.kind(MODEL, provider=OpenAIProvider(openai_client=client))

    def question(self) -> None:
        has(self.agent.run_sync(QUESTION).output, QUESTION)

    def stream(self) -> None:
        streamed = self.agent.run_stream_sync(STORY)
        has("".join(streamed.stream_text(delta=True)), STORY)

    def turns(self) -> None:
        first = self.agent.run_sync(NAME)
        has(self.agent.run_sync(WHO, message_history=first.all_messages()).output, TOLD_NAME)

    def tools(self) -> None:
        armed = Agent(self._model(), tools=[get_weather])
        told = armed.run_sync(WEATHER)
        has(told.output, TOLD_WEATHER)
        again = armed.run_sync(WHO, message_history=told.all_messages())
        has(again.output, WHO)

    def streamed_tools(self) -> None:
        streamed = Agent(self._model(), tools=[get_weather]).run_stream_sync(WEATHER)
        has("".join(streamed.stream_text(delta=True)), TOLD_WEATHER)

    def parallel(self) -> None:
        told = Agent(self._model(), tools=[get_weather]).run_sync(BOTH)
        has(told.output, TOLD_WEATHER)
        assert told.usage.tool_calls == 2, told.usage

    def structured(self) -> None:
        for how in (NativeOutput, ToolOutput):
            told = Agent(self._model(), output_type=how(Author)).run_sync(FIRST).output
            assert told == Author(name="Ada", year=1843), (how, told)

    def image(self) -> None:
        picture = BinaryContent(base64.b64decode(PNG), media_type="image/png")
        has(self.agent.run_sync([PICTURE, picture]).output, TOLD_PICTURE)

    def error(self) -> None:
        asked = lambda: self.agent.run_sync(QUESTION, model_settings={"temperature": 9})  # noqa: E731
        raises(ModelHTTPError, asked, "temperature")
        stranger = Agent(self._model(WRONG_KEY))
        raises(ModelHTTPError, lambda: stranger.run_sync(QUESTION), "401")


def main() -> None:
    put_through("pydantic-ai, responses", PydanticAI(OpenAIResponsesModel))
    put_through("pydantic-ai, chat", PydanticAI(OpenAIChatModel))


if __name__ == "__main__":
    main()
