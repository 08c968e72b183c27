"""dspy: signatures, its own tool loop, and images, over LiteLLM."""

from __future__ import annotations

from typing import Any

import dspy
import talk
from talk import get_weather, has, put_through, raises, user


class Ask(dspy.Signature):
    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


class AskOfAuthor(dspy.Signature):
    question: str = dspy.InputField()
    name: str = dspy.OutputField()
    year: int = dspy.OutputField()


class AskOfPicture(dspy.Signature):
    picture: dspy.Image = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


class AskWithTools(dspy.Signature):
    question: str = dspy.InputField()
    tools: list[dspy.Tool] = dspy.InputField()
    calls: dspy.ToolCalls = dspy.OutputField()


def model(key: str = talk.KEY, **more: Any) -> dspy.LM:
    return dspy.LM(
        f"openai/{talk.MODEL}", api_base=talk.URL, api_key=key, cache=False, num_retries=0, **more
    )


class Dspy:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.model = model(model_type=kind)

    def question(self) -> None:
        has(self.model(talk.QUESTION)[0], talk.QUESTION)

    async def stream(self) -> None:
        listening = dspy.streamify(
            dspy.Predict(Ask), stream_listeners=[dspy.streaming.StreamListener("answer")]
        )
        with dspy.context(lm=self.model):
            pieces = [piece async for piece in listening(question=talk.STORY)]
        assert isinstance(pieces[-1], dspy.Prediction), pieces
        has(pieces[-1].answer, talk.STORY)

    def turns(self) -> None:
        said = [user(talk.NAME)]
        first = self.model(messages=said)[0]
        text = first if isinstance(first, str) else first["text"]
        said += [{"role": "assistant", "content": text}, user(talk.WHO)]
        has(self.model(messages=said)[0], talk.TOLD_NAME)

    def tools(self) -> None:
        adapter = dspy.ChatAdapter(use_native_function_calling=True)
        with dspy.context(lm=self.model, adapter=adapter):
            told = dspy.Predict(AskWithTools)(question=talk.WEATHER, tools=[dspy.Tool(get_weather)])
        (call,) = told.calls.tool_calls
        assert (call.name, call.args) == ("get_weather", {"city": "Oslo"}), call

    def parallel(self) -> None:
        adapter = dspy.ChatAdapter(use_native_function_calling=True)
        with dspy.context(lm=self.model, adapter=adapter):
            told = dspy.Predict(AskWithTools)(question=talk.BOTH, tools=[dspy.Tool(get_weather)])
        assert [call.args["city"] for call in told.calls.tool_calls] == ["Bergen", "Oslo"], told

    def structured(self) -> None:
        for adapter in (dspy.ChatAdapter(), dspy.JSONAdapter()):
            with dspy.context(lm=self.model, adapter=adapter):
                told = dspy.Predict(AskOfAuthor)(question=talk.FIRST)
            assert (told.name, told.year) == ("Ada", 1843), (adapter, told)

    def image(self) -> None:
        with dspy.context(lm=self.model):
            told = dspy.Predict(AskOfPicture)(
                picture=dspy.Image(talk.IMAGE_URL), question=talk.PICTURE
            )
        has(told.answer, talk.TOLD_PICTURE)

    def error(self) -> None:
        bad = model(model_type=self.kind, temperature=9)
        with raises(Exception, "temperature"):
            bad(talk.QUESTION)
        stranger = model(talk.WRONG_KEY, model_type=self.kind)
        with raises(Exception, "unknown, expired"):
            stranger(talk.QUESTION)


def main() -> None:
    put_through("dspy, chat", Dspy("chat"))
    put_through("dspy, responses", Dspy("responses"))


if __name__ == "__main__":
    main()
