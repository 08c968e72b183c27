"""The body of POST /v1/chat/completions, and the message that it means."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from shared.decoding import Json, decode_json, missing_field, whole_json
from shared.errors import InvalidRequest
from shared.messages.body import (
    Body,
    CommonFields,
    TextFormat,
    TextOptions,
    Tokens,
    TopLogprobs,
    Verbosity,
)
from shared.messages.requests.breakpoints import check_breakpoints
from shared.messages.requests.calls import TEXT_LIMIT_BYTES, Place, check_items, check_text
from shared.messages.requests.tools import Mode, check_tools, offer
from shared.messages.requests.unsupported import explained
from shared.messages.tool import Effort, ReasoningOptions
from shared.surfaces.chat.messages import ChatMessage, items_of_chat
from shared.surfaces.chat.tools import ChatTool, ChatToolChoice, choice_of_chat, tools_of_chat

Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
NoEntries = Annotated[dict[str, object], msgspec.Meta(max_length=0)]


class ChatStreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a stream is sent."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A schema that the answer has to follow."""

    name: str
    schema: dict[str, object] | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatRequest(CommonFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message in chat shape. A field that is absent here is refused by its name."""

    messages: Annotated[list[ChatMessage], msgspec.Meta(min_length=1)]
    stream_options: ChatStreamOptions | None = None
    max_completion_tokens: Tokens | None = None
    max_tokens: Tokens | None = None
    stop: str | Annotated[list[str], msgspec.Meta(max_length=4)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    response_format: ResponseFormat | None = None
    modalities: list[Literal["text"]] | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: TopLogprobs | None = None
    tools: list[ChatTool] | None = None
    tool_choice: Mode | ChatToolChoice | None = None
    reasoning_effort: Effort | None = None
    logit_bias: NoEntries | None = None
    verbosity: Verbosity | None = None
    # OpenAI's, and not supported: clients with types send them all the same, as null.
    audio: None = None
    function_call: None = None
    functions: None = None
    moderation: None = None
    prediction: None = None
    prompt_cache_options: None = None
    prompt_cache_retention: None = None
    web_search_options: None = None

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with a chunk of usage."""
        return self.stream_options is not None and self.stream_options.include_usage is True


_decoder = msgspec.json.Decoder(ChatRequest)


def decode_chat_request(
    raw: Json, *, text_limit_bytes: int = TEXT_LIMIT_BYTES
) -> tuple[ChatRequest, Body]:
    """One request and what it means; raises InvalidRequest naming the field, a message by its
    place, and TooLarge for more text than the limit."""
    try:
        request = decode_json(_decoder, raw)
        _check(request)
        body, place = body_of_chat(request)
    except InvalidRequest as error:
        raise explained(error, whole_json(raw)) from None
    check_text(body, len(whole_json(raw)), place, limit_bytes=text_limit_bytes)
    return request, body


def _check(request: ChatRequest) -> None:
    if request.top_logprobs and not request.logprobs:
        raise InvalidRequest(
            "'top_logprobs' is for who asks for 'logprobs': true. Send that, or leave it out.",
            param="top_logprobs",
        )
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        raise InvalidRequest(
            "Give 'max_completion_tokens' or 'max_tokens', not both.", param="max_tokens"
        )


def body_of_chat(request: ChatRequest) -> tuple[Body, Place]:
    """The message as the ledger keeps it, and where in chat's messages its items stand; raises
    InvalidRequest."""
    items, origins = items_of_chat(request.messages)
    effort = request.reasoning_effort
    body = Body.of(
        request,
        items,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        seed=request.seed,
        stop=request.stop,
        max_output_tokens=request.max_completion_tokens or request.max_tokens,
        text=_text(request),
        reasoning=ReasoningOptions(effort) if effort else None,
        top_logprobs=(request.top_logprobs or 0) if request.logprobs else None,
        **offer(tools_of_chat(request.tools), choice_of_chat(request.tool_choice)),
    )

    def place(item: int) -> str:
        return f"messages[{origins[item]}]"

    check_items(body.input, place, continues=body.continues)
    check_tools(body.tools or (), body.tool_choice, schema="function.parameters")
    check_breakpoints(body, place)
    return body, place


def _text(request: ChatRequest) -> TextOptions | None:
    if request.response_format is None and request.verbosity is None:
        return None
    return TextOptions(_format(request.response_format), request.verbosity).spelled()


def _format(asked: ResponseFormat | None) -> TextFormat | None:
    """In the words of `text.format`, where the schema lies one level higher."""
    if asked is None or asked.type != "json_schema":
        return None if asked is None else TextFormat(asked.type)
    wanted = asked.json_schema
    if wanted is None:
        raise missing_field("response_format.json_schema")
    return TextFormat(asked.type, **msgspec.structs.asdict(wanted))
