"""llama-index's OpenAI-like model, and its function calling."""

from __future__ import annotations

import openai
import talk
from author import ADA, Author
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from talk import get_weather, has, put_through, raises


def model(key: str = talk.KEY, **more: object) -> OpenAILike:
    about = {"is_chat_model": True, "is_function_calling_model": True, "context_window": 8_192}
    return OpenAILike(
        model=talk.MODEL, api_base=talk.URL, api_key=key, max_retries=0, timeout=30, **about | more
    )


class LlamaIndex:
    def __init__(self) -> None:
        self.model = model()

    def question(self) -> None:
        has(self.model.complete(talk.QUESTION).text, talk.QUESTION)

    def stream(self) -> None:
        asked = self.model.stream_chat([ChatMessage(talk.STORY)])
        has("".join(piece.delta or "" for piece in asked), talk.STORY)

    def turns(self) -> None:
        first = self.model.chat([ChatMessage(talk.NAME)]).message
        said = [ChatMessage(talk.NAME), first, ChatMessage(talk.WHO)]
        has(self.model.chat(said).message.content, talk.TOLD_NAME)

    def tools(self) -> None:
        tools = [FunctionTool.from_defaults(get_weather)]
        first = self.model.chat_with_tools(tools, user_msg=talk.WEATHER)
        (call,) = self.model.get_tool_calls_from_response(first)
        answer = ChatMessage(
            role="tool",
            content=get_weather(**call.tool_kwargs),
            additional_kwargs={"tool_call_id": call.tool_id},
        )
        said = [ChatMessage(talk.WEATHER), first.message, answer]
        has(self.model.chat_with_tools(tools, chat_history=said).message.content, talk.TOLD_WEATHER)

    def streamed_tools(self) -> None:
        tools = [FunctionTool.from_defaults(get_weather)]
        *_, last = self.model.stream_chat_with_tools(tools, user_msg=talk.WEATHER)
        (call,) = self.model.get_tool_calls_from_response(last)
        assert call.tool_kwargs == {"city": "Oslo"}, call

    async def parallel(self) -> None:
        agent = FunctionAgent(tools=[get_weather], llm=self.model)
        told = await agent.run(talk.BOTH)
        has(told, talk.TOLD_WEATHER)
        assert len(told.tool_calls) == 2, told

    def structured(self) -> None:
        for model_ in (self.model, model(should_use_structured_outputs=True)):
            told = model_.as_structured_llm(Author).complete(talk.FIRST).raw
            assert told == ADA, told

    def image(self) -> None:
        blocks = [TextBlock(text=talk.PICTURE), ImageBlock(url=talk.IMAGE_URL)]
        has(self.model.chat([ChatMessage(blocks=blocks)]).message.content, talk.TOLD_PICTURE)

    def error(self) -> None:
        bad = model(additional_kwargs={"top_p": 9})
        with raises(openai.BadRequestError, "top_p"):
            bad.complete(talk.QUESTION)
        stranger = model(talk.WRONG_KEY)
        with raises(openai.AuthenticationError):
            stranger.complete(talk.QUESTION)


def main() -> None:
    put_through("llama-index OpenAI-like", LlamaIndex())


if __name__ == "__main__":
    main()
