"""pydantic-ai over both surfaces; it takes the two turns of a tool by itself."""

from __future__ import annotations

import base64

import talk
from author import ADA, Author
from openai import AsyncOpenAI
from pydantic_ai import Agent, BinaryContent, NativeOutput, ToolOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from talk import get_weather, has, put_through, raises


class PydanticAI:
    def __init__(self, kind: type[OpenAIChatModel | OpenAIResponsesModel]) -> None:
        self.kind = kind
        self.agent = Agent(self._model())

    def _model(self, key: str = talk.KEY) -> Model:
        client = AsyncOpenAI(api_key=key, **talk.HERE)
        return self.kind(talk.MODEL, provider=OpenAIProvider(openai_client=client))

    def question(self) -> None:
        has(self.agent.run_sync(talk.QUESTION).output, talk.QUESTION)

    def stream(self) -> None:
        streamed = self.agent.run_stream_sync(talk.STORY)
        has("".join(streamed.stream_text(delta=True)), talk.STORY)

    def turns(self) -> None:
        first = self.agent.run_sync(talk.NAME)
        has(
            self.agent.run_sync(talk.WHO, message_history=first.all_messages()).output,
            talk.TOLD_NAME,
        )

    def tools(self) -> None:
        armed = Agent(self._model(), tools=[get_weather])
        told = armed.run_sync(talk.WEATHER)
        has(told.output, talk.TOLD_WEATHER)
        again = armed.run_sync(talk.WHO, message_history=told.all_messages())
        has(again.output, talk.WHO)

    def streamed_tools(self) -> None:
        streamed = Agent(self._model(), tools=[get_weather]).run_stream_sync(talk.WEATHER)
        has("".join(streamed.stream_text(delta=True)), talk.TOLD_WEATHER)

    def parallel(self) -> None:
        told = Agent(self._model(), tools=[get_weather]).run_sync(talk.BOTH)
        has(told.output, talk.TOLD_WEATHER)
        assert told.usage.tool_calls == 2, told.usage

    def structured(self) -> None:
        for how in (NativeOutput, ToolOutput):
            told = Agent(self._model(), output_type=how(Author)).run_sync(talk.FIRST).output
            assert told == ADA, (how, told)

    def image(self) -> None:
        picture = BinaryContent(base64.b64decode(talk.PNG), media_type="image/png")
        has(self.agent.run_sync([talk.PICTURE, picture]).output, talk.TOLD_PICTURE)

    def error(self) -> None:
        with raises(ModelHTTPError, "temperature"):
            self.agent.run_sync(talk.QUESTION, model_settings={"temperature": 9})
        stranger = Agent(self._model(talk.WRONG_KEY))
        with raises(ModelHTTPError, "401"):
            stranger.run_sync(talk.QUESTION)


def main() -> None:
    put_through("pydantic-ai, responses", PydanticAI(OpenAIResponsesModel))
    put_through("pydantic-ai, chat", PydanticAI(OpenAIChatModel))


if __name__ == "__main__":
    main()
