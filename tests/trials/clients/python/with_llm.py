"""Simon Willison's `llm`, with the model declared as its documentation says."""

from __future__ import annotations

import base64

import llm
import talk
from author import ADA, Author
from llm.default_plugins.openai_models import Chat, Responses
from talk import get_weather, has, put_through, raises


def model(kind: type[Chat | Responses], key: str = talk.KEY) -> Chat | Responses:
    about = {"vision": True, "can_stream": True, "supports_schema": True, "supports_tools": True}
    made = kind(talk.MODEL, model_name=talk.MODEL, api_base=talk.URL, **about)
    made.key = key
    return made


class Llm:
    def __init__(self, kind: type[Chat | Responses]) -> None:
        self.kind = kind
        self.model = model(kind)

    def question(self) -> None:
        has(self.model.prompt(talk.QUESTION, stream=False).text(), talk.QUESTION)

    def stream(self) -> None:
        has("".join(self.model.prompt(talk.STORY, stream=True)), talk.STORY)

    def turns(self) -> None:
        conversation = self.model.conversation()
        conversation.prompt(talk.NAME).text()
        has(conversation.prompt(talk.WHO).text(), talk.TOLD_NAME)

    def tools(self) -> None:
        chain = self.model.chain(talk.WEATHER, tools=[get_weather], stream=False)
        has(chain.text(), talk.TOLD_WEATHER)

    def streamed_tools(self) -> None:
        has(
            "".join(self.model.chain(talk.WEATHER, tools=[get_weather], stream=True)),
            talk.TOLD_WEATHER,
        )

    def parallel(self) -> None:
        has(
            self.model.chain(talk.BOTH, tools=[get_weather], stream=False).text(), talk.TOLD_WEATHER
        )

    def structured(self) -> None:
        told = self.model.prompt(talk.FIRST, schema=Author).text()
        assert Author.model_validate_json(told) == ADA, told

    def image(self) -> None:
        picture = llm.Attachment(type="image/png", content=base64.b64decode(talk.PNG))
        has(self.model.prompt(talk.PICTURE, attachments=[picture]).text(), talk.TOLD_PICTURE)

    def error(self) -> None:
        bad = self.model.prompt(talk.QUESTION, top_p=0.5, max_tokens=0, stream=False)
        with raises(Exception, "tokens"):
            bad.text()
        stranger = model(self.kind, talk.WRONG_KEY).prompt(talk.QUESTION, stream=False)
        with raises(Exception, "401"):
            stranger.text()


def main() -> None:
    put_through("llm, chat", Llm(Chat))
    put_through("llm, responses", Llm(Responses))


if __name__ == "__main__":
    main()
