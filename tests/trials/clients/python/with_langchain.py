"""langchain-openai over both surfaces."""

from __future__ import annotations

import openai
import talk
from author import ADA, Author
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai_shapes import chat_picture
from talk import get_weather, has, put_through, raises

WEATHER_TOOL = tool(get_weather)


def model(*, key: str = talk.KEY, **more: object) -> ChatOpenAI:
    return ChatOpenAI(api_key=key, model=talk.MODEL, **talk.HERE, **more)


class LangChain:
    def __init__(self, *, responses: bool) -> None:
        self.over = {"use_responses_api": responses}
        self.model = model(**self.over)

    def question(self) -> None:
        has(self.model.invoke(talk.QUESTION).text, talk.QUESTION)

    def stream(self) -> None:
        has("".join(str(chunk.text) for chunk in self.model.stream(talk.STORY)), talk.STORY)

    def turns(self) -> None:
        first = self.model.invoke(talk.NAME)
        said = [HumanMessage(talk.NAME), first, HumanMessage(talk.WHO)]
        has(self.model.invoke(said).text, talk.TOLD_NAME)
        if self.over["use_responses_api"]:
            chained = model(use_previous_response_id=True, **self.over)
            has(chained.invoke(said).text, talk.TOLD_NAME)

    def tools(self) -> None:
        armed = self.model.bind_tools([WEATHER_TOOL])
        said = [HumanMessage(talk.WEATHER)]
        first = armed.invoke(said)
        (call,) = first.tool_calls
        answer = WEATHER_TOOL.invoke(call)
        assert isinstance(answer, ToolMessage)
        has(armed.invoke([*said, first, answer]).text, talk.TOLD_WEATHER)

    def streamed_tools(self) -> None:
        armed, whole = self.model.bind_tools([WEATHER_TOOL]), None
        for chunk in armed.stream(talk.WEATHER):
            whole = chunk if whole is None else whole + chunk
        (call,) = whole.tool_calls
        assert call["args"] == {"city": "Oslo"}, call

    def parallel(self) -> None:
        armed = self.model.bind_tools([WEATHER_TOOL])
        first = armed.invoke(talk.BOTH)
        answers = [WEATHER_TOOL.invoke(call) for call in first.tool_calls]
        assert len(answers) == 2, first
        has(armed.invoke([HumanMessage(talk.BOTH), first, *answers]).text, talk.TOLD_WEATHER)

    def structured(self) -> None:
        for method in ("json_schema", "function_calling"):
            told = self.model.with_structured_output(Author, method=method).invoke(talk.FIRST)
            assert told == ADA, (method, told)

    def image(self) -> None:
        has(self.model.invoke([HumanMessage(chat_picture())]).text, talk.TOLD_PICTURE)

    def error(self) -> None:
        bad = model(temperature=9, **self.over)
        with raises(openai.BadRequestError, "temperature"):
            bad.invoke(talk.QUESTION)
        stranger = model(key=talk.WRONG_KEY, **self.over)
        with raises(openai.AuthenticationError):
            stranger.invoke(talk.QUESTION)


def main() -> None:
    for responses in (True, False):
        put_through(
            f"langchain-openai, {'responses' if responses else 'chat'}",
            LangChain(responses=responses),
        )


if __name__ == "__main__":
    main()
