"""Simon Willison's `llm`, with the model declared as its documentation says."""

from __future__ import annotations

import base64

import llm
from llm.default_plugins.openai_models import Chat, Responses
from pydantic import BaseModel
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


def model(kind: type[Chat | Responses], key: str = KEY) -> Chat | Responses:
    about = {"vision": True, "can_stream": True, "supports_schema": True, "supports_tools": True}
    made = kind(MODEL, model_name=MODEL, api_base=URL, **about)
    made.key = key
    return made


class Llm:
    def __init__(self, kind: type[Chat | Responses]) -> None:
        self.kind = kind
        self.model = model(kind)

    def question(self) -> None:
        has(self.model.prompt(QUESTION, stream=False).text(), QUESTION)

    def stream(self) -> None:
        has("".join(self.model.prompt(STORY, stream=True)), STORY)

    def turns(self) -> None:
        conversation = self.model.conversation()
        conversation.prompt(NAME).text()
        has(conversation.prompt(WHO).text(), TOLD_NAME)

    def tools(self) -> None:
        chain = self.model.chain(WEATHER, tools=[get_weather], stream=False)
        has(chain.text(), TOLD_WEATHER)

    def streamed_tools(self) -> None:
        has("".join(self.model.chain(WEATHER, tools=[get_weather], stream=True)), TOLD_WEATHER)

    def parallel(self) -> None:
        has(self.model.chain(BOTH, tools=[get_weather], stream=False).text(), TOLD_WEATHER)

    def structured(self) -> None:
        told = self.model.prompt(FIRST, schema=Author).text()
        assert Author.model_validate_json(told) == Author(name="Ada", year=1843), told

    def image(self) -> None:
        picture = llm.Attachment(type="image/png", content=base64.b64decode(PNG))
        has(self.model.prompt(PICTURE, attachments=[picture]).text(), TOLD_PICTURE)

    def error(self) -> None:
        bad = self.model.prompt(QUESTION, top_p=0.5, max_tokens=0, stream=False)
        raises(Exception, bad.text, "tokens")
        stranger = model(self.kind, WRONG_KEY).prompt(QUESTION, stream=False)
        raises(Exception, stranger.text, "401")


def main() -> None:
    put_through("llm, chat", Llm(Chat))
    put_through("llm, responses", Llm(Responses))


if __name__ == "__main__":
    main()
