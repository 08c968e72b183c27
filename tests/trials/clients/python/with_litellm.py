"""LiteLLM's SDK, with Forebay as an OpenAI of its own address."""

from __future__ import annotations

from typing import Any

import litellm
import talk
from author import ADA, Author
from openai_shapes import (
    TO_OSLO,
    chat_output,
    chat_picture,
    chat_tools,
    responses_output,
    responses_picture,
    responses_tools,
)
from talk import has, put_through, raises, user


class Completion:
    """`litellm.completion`."""

    def _ask(self, *said: Any, key: str = talk.KEY, **more: Any) -> Any:
        messages = [user(said[0]), *said[1:]]
        where = {"model": f"openai/{talk.MODEL}", "api_base": talk.URL, "api_key": key}
        return litellm.completion(messages=messages, num_retries=0, timeout=30, **where, **more)

    def question(self) -> None:
        has(self._ask(talk.QUESTION).choices[0].message.content, talk.QUESTION)

    def stream(self) -> None:
        chunks = self._ask(talk.STORY, stream=True, stream_options={"include_usage": True})
        said = (chunk.choices[0].delta.content for chunk in chunks if chunk.choices)
        has("".join(text or "" for text in said), talk.STORY)

    def turns(self) -> None:
        first = self._ask(talk.NAME).choices[0].message
        has(self._ask(talk.NAME, first, user(talk.WHO)).choices[0].message.content, talk.TOLD_NAME)

    def tools(self) -> None:
        tools = chat_tools()
        first = self._ask(talk.WEATHER, tools=tools, tool_choice="auto").choices[0].message
        (call,) = first.tool_calls
        last = self._ask(talk.WEATHER, first, chat_output(call), tools=tools).choices[0].message
        has(last.content, talk.TOLD_WEATHER)

    def streamed_tools(self) -> None:
        tools = chat_tools()
        whole = litellm.stream_chunk_builder(
            list(self._ask(talk.WEATHER, tools=tools, stream=True))
        )
        (call,) = whole.choices[0].message.tool_calls
        assert call.function.arguments == TO_OSLO, call

    def parallel(self) -> None:
        tools = chat_tools()
        first = self._ask(talk.BOTH, tools=tools).choices[0].message
        outputs = [chat_output(call) for call in first.tool_calls]
        assert len(outputs) == 2, first
        has(
            self._ask(talk.BOTH, first, *outputs, tools=tools).choices[0].message.content,
            talk.TOLD_WEATHER,
        )

    def structured(self) -> None:
        told = self._ask(talk.FIRST, response_format=Author).choices[0].message.content
        assert Author.model_validate_json(told) == ADA, told

    def image(self) -> None:
        has(self._ask(chat_picture()).choices[0].message.content, talk.TOLD_PICTURE)

    def error(self) -> None:
        with raises(litellm.BadRequestError, "temperature"):
            self._ask(talk.QUESTION, temperature=9)
        with raises(litellm.AuthenticationError):
            self._ask(talk.QUESTION, key=talk.WRONG_KEY)


class Responses:
    """`litellm.responses`."""

    def _ask(self, said: Any, key: str = talk.KEY, **more: Any) -> Any:
        where = {"model": f"openai/{talk.MODEL}", "api_base": talk.URL, "api_key": key}
        return litellm.responses(input=said, timeout=30, **where, **more)

    def question(self) -> None:
        has(self._ask(talk.QUESTION).output_text, talk.QUESTION)

    def stream(self) -> None:
        events = [event.model_dump() for event in self._ask(talk.STORY, stream=True)]
        deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
        has("".join(deltas), talk.STORY)

    def turns(self) -> None:
        first = self._ask(talk.NAME)
        has(self._ask(talk.WHO, previous_response_id=first.id).output_text, talk.TOLD_NAME)

    def tools(self) -> None:
        tools = responses_tools()
        first = self._ask(talk.WEATHER, tools=tools)
        (call,) = [item for item in first.output if item.type == "function_call"]
        last = self._ask([responses_output(call)], tools=tools, previous_response_id=first.id)
        has(last.output_text, talk.TOLD_WEATHER)

    def streamed_tools(self) -> None:
        tools = responses_tools()
        events = [e.model_dump() for e in self._ask(talk.WEATHER, tools=tools, stream=True)]
        kind = "response.function_call_arguments.done"
        (done,) = [event for event in events if event["type"] == kind]
        assert done["arguments"] == TO_OSLO, done

    def parallel(self) -> None:
        tools = responses_tools()
        first = self._ask(talk.BOTH, tools=tools)
        calls = [item for item in first.output if item.type == "function_call"]
        assert len(calls) == 2, first
        outputs = [responses_output(call) for call in calls]
        last = self._ask(outputs, tools=tools, previous_response_id=first.id)
        has(last.output_text, talk.TOLD_WEATHER)

    def structured(self) -> None:
        told = self._ask(talk.FIRST, text_format=Author).output_text
        assert Author.model_validate_json(told) == ADA, told

    def image(self) -> None:
        has(self._ask([user(responses_picture("auto"))]).output_text, talk.TOLD_PICTURE)

    def error(self) -> None:
        with raises(litellm.BadRequestError, "temperature"):
            self._ask(talk.QUESTION, temperature=9)
        with raises(litellm.AuthenticationError):
            self._ask(talk.QUESTION, key=talk.WRONG_KEY)


def main() -> None:
    litellm.suppress_debug_info = True
    put_through("LiteLLM, completion", Completion())
    put_through("LiteLLM, responses", Responses())


if __name__ == "__main__":
    main()
