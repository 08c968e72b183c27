"""LiteLLM's SDK, with Forebay as an OpenAI of its own address."""

from __future__ import annotations

from typing import Any

import litellm
from pydantic import BaseModel
from talk import (
    ABOUT_WEATHER,
    BOTH,
    FIRST,
    IMAGE_URL,
    KEY,
    MODEL,
    NAME,
    PARAMETERS,
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

FUNCTION = {"name": "get_weather", "description": ABOUT_WEATHER, "parameters": PARAMETERS}


class Author(BaseModel):
    name: str
    year: int


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


class Completion:
    """`litellm.completion`."""

    def _ask(self, *said: Any, key: str = KEY, **more: Any) -> Any:
        messages = [user(said[0]), *said[1:]]
        where = {"model": f"openai/{MODEL}", "api_base": URL, "api_key": key}
        return litellm.completion(messages=messages, num_retries=0, timeout=30, **where, **more)

    def question(self) -> None:
        has(self._ask(QUESTION).choices[0].message.content, QUESTION)

    def stream(self) -> None:
        chunks = self._ask(STORY, stream=True, stream_options={"include_usage": True})
        said = (chunk.choices[0].delta.content for chunk in chunks if chunk.choices)
        has("".join(text or "" for text in said), STORY)

    def turns(self) -> None:
        first = self._ask(NAME).choices[0].message
        has(self._ask(NAME, first, user(WHO)).choices[0].message.content, TOLD_NAME)

    def tools(self) -> None:
        tools = [{"type": "function", "function": FUNCTION}]
        first = self._ask(WEATHER, tools=tools, tool_choice="auto").choices[0].message
        (call,) = first.tool_calls
        output = {"role": "tool", "tool_call_id": call.id, "content": get_weather("Oslo")}
        last = self._ask(WEATHER, first, output, tools=tools).choices[0].message
        has(last.content, TOLD_WEATHER)

    def streamed_tools(self) -> None:
        tools = [{"type": "function", "function": FUNCTION}]
        whole = litellm.stream_chunk_builder(list(self._ask(WEATHER, tools=tools, stream=True)))
        (call,) = whole.choices[0].message.tool_calls
        assert call.function.arguments == '{"city":"Oslo"}', call

    def parallel(self) -> None:
        tools = [{"type": "function", "function": FUNCTION}]
        first = self._ask(BOTH, tools=tools).choices[0].message
        outputs = [
            {"role": "tool", "tool_call_id": call.id, "content": get_weather("Oslo")}
            for call in first.tool_calls
        ]
        assert len(outputs) == 2, first
        has(self._ask(BOTH, first, *outputs, tools=tools).choices[0].message.content, TOLD_WEATHER)

    def structured(self) -> None:
        told = self._ask(FIRST, response_format=Author).choices[0].message.content
        assert Author.model_validate_json(told) == Author(name="Ada", year=1843), told

    def image(self) -> None:
        parts = [
            {"type": "text", "text": PICTURE},
            {"type": "image_url", "image_url": {"url": IMAGE_URL}},
        ]
        has(self._ask(parts).choices[0].message.content, TOLD_PICTURE)

    def error(self) -> None:
        bad = litellm.BadRequestError
        raises(bad, lambda: self._ask(QUESTION, temperature=9), "temperature")
        raises(litellm.AuthenticationError, lambda: self._ask(QUESTION, key=WRONG_KEY))


class Responses:
    """`litellm.responses`."""

    def _ask(self, said: Any, key: str = KEY, **more: Any) -> Any:
        where = {"model": f"openai/{MODEL}", "api_base": URL, "api_key": key}
        return litellm.responses(input=said, timeout=30, **where, **more)

    def question(self) -> None:
        has(self._ask(QUESTION).output_text, QUESTION)

    def stream(self) -> None:
        events = [event.model_dump() for event in self._ask(STORY, stream=True)]
        deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
        has("".join(deltas), STORY)

    def turns(self) -> None:
        first = self._ask(NAME)
        has(self._ask(WHO, previous_response_id=first.id).output_text, TOLD_NAME)

    def tools(self) -> None:
        tools = [{"type": "function", **FUNCTION}]
        first = self._ask(WEATHER, tools=tools)
        (call,) = [item for item in first.output if item.type == "function_call"]
        output = {"type": "function_call_output", "call_id": call.call_id}
        output["output"] = get_weather("Oslo")
        last = self._ask([output], tools=tools, previous_response_id=first.id)
        has(last.output_text, TOLD_WEATHER)

    def streamed_tools(self) -> None:
        tools = [{"type": "function", **FUNCTION}]
        events = [e.model_dump() for e in self._ask(WEATHER, tools=tools, stream=True)]
        kind = "response.function_call_arguments.done"
        (done,) = [event for event in events if event["type"] == kind]
        assert done["arguments"] == '{"city":"Oslo"}', done

    def parallel(self) -> None:
        tools = [{"type": "function", **FUNCTION}]
        first = self._ask(BOTH, tools=tools)
        calls = [item.call_id for item in first.output if item.type == "function_call"]
        assert len(calls) == 2, first
        outputs = [
            {"type": "function_call_output", "call_id": call, "output": get_weather("Oslo")}
            for call in calls
        ]
        last = self._ask(outputs, tools=tools, previous_response_id=first.id)
        has(last.output_text, TOLD_WEATHER)

    def structured(self) -> None:
        told = self._ask(FIRST, text_format=Author).output_text
        assert Author.model_validate_json(told) == Author(name="Ada", year=1843), told

    def image(self) -> None:
        parts = [
            {"type": "input_text", "text": PICTURE},
            {"type": "input_image", "image_url": IMAGE_URL, "detail": "auto"},
        ]
        has(self._ask([user(parts)]).output_text, TOLD_PICTURE)

    def error(self) -> None:
        bad = litellm.BadRequestError
        raises(bad, lambda: self._ask(QUESTION, temperature=9), "temperature")
        raises(litellm.AuthenticationError, lambda: self._ask(QUESTION, key=WRONG_KEY))


def main() -> None:
    litellm.suppress_debug_info = True
    put_through("LiteLLM, completion", Completion())
    put_through("LiteLLM, responses", Responses())


if __name__ == "__main__":
    main()
