"""langchain-openai over both surfaces."""

from __future__ import annotations

import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
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

WEATHER_TOOL = tool(get_weather)


class Author(BaseModel):
    """Who wrote something, and when."""

    name: str
    year: int


def model(*, key: str = KEY, **more: object) -> ChatOpenAI:
    return ChatOpenAI(base_url=URL, api_key=key, model=MODEL, max_retries=0, timeout=30, **more)


class LangChain:
    def __init__(self, *, responses: bool) -> None:
        self.over = {"use_responses_api": responses}
        self.model = model(**self.over)

    def question(self) -> None:
        has(self.model.invoke(QUESTION).text, QUESTION)

    def stream(self) -> None:
        has("".join(str(chunk.text) for chunk in self.model.stream(STORY)), STORY)

    def turns(self) -> None:
        first = self.model.invoke(NAME)
        said = [HumanMessage(NAME), first, HumanMessage(WHO)]
        has(self.model.invoke(said).text, TOLD_NAME)
        if self.over["use_responses_api"]:
            chained = model(use_previous_response_id=True, **self.over)
            has(chained.invoke(said).text, TOLD_NAME)

    def tools(self) -> None:
        armed = self.model.bind_tools([WEATHER_TOOL])
        said = [HumanMessage(WEATHER)]
        first = armed.invoke(said)
        (call,) = first.tool_calls
        answer = WEATHER_TOOL.invoke(call)
        assert isinstance(answer, ToolMessage)
        has(armed.invoke([*said, first, answer]).text, TOLD_WEATHER)

    def streamed_tools(self) -> None:
        armed, whole = self.model.bind_tools([WEATHER_TOOL]), None
        for chunk in armed.stream(WEATHER):
            whole = chunk if whole is None else whole + chunk
        (call,) = whole.tool_calls
        assert call["args"] == {"city": "Oslo"}, call

    def parallel(self) -> None:
        armed = self.model.bind_tools([WEATHER_TOOL])
        first = armed.invoke(BOTH)
        answers = [WEATHER_TOOL.invoke(call) for call in first.tool_calls]
        assert len(answers) == 2, first
        has(armed.invoke([HumanMessage(BOTH), first, *answers]).text, TOLD_WEATHER)

    def structured(self) -> None:
        for method in ("json_schema", "function_calling"):
            told = self.model.with_structured_output(Author, method=method).invoke(FIRST)
            assert told == Author(name="Ada", year=1843), (method, told)

    def image(self) -> None:
        parts = [
            {"type": "text", "text": PICTURE},
            {"type": "image_url", "image_url": {"url": IMAGE_URL}},
        ]
        has(self.model.invoke([HumanMessage(parts)]).text, TOLD_PICTURE)

    def error(self) -> None:
        bad = model(temperature=9, **self.over)
        raises(openai.BadRequestError, lambda: bad.invoke(QUESTION), "temperature")
        stranger = model(key=WRONG_KEY, **self.over)
        raises(openai.AuthenticationError, lambda: stranger.invoke(QUESTION))


def main() -> None:
    for responses in (True, False):
        put_through(
            f"langchain-openai, {'responses' if responses else 'chat'}",
            LangChain(responses=responses),
        )


if __name__ == "__main__":
    main()
