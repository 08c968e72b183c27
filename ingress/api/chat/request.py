"""The body of POST /v1/chat/completions, and the message that it means."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from shared.decoding import decode_json
from shared.errors import InvalidRequest
from shared.messages.body import Body, CommonFields, TextFormat, TextOptions, Tokens, Verbosity
from shared.messages.item import MessageItem, Role
from shared.messages.part import Content, RefusalPart, spelled, text_part
from shared.messages.requests.unsupported import UNSUPPORTED, explained

Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
Empty = Annotated[list[object], msgspec.Meta(max_length=0)]
NoEntries = Annotated[dict[str, object], msgspec.Meta(max_length=0)]


class ChatText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a message's content: text alone travels this road."""

    text: str
    type: Literal["text"] = "text"


class ChatMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who said what. The fields after `name` are what an answer has, sent back."""

    role: Role
    content: str | Annotated[list[ChatText], msgspec.Meta(min_length=1)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    refusal: str | None = None
    annotations: Empty | None = None
    audio: None = None
    tool_calls: Empty | None = None
    function_call: None = None


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
    tools: Empty | None = None
    tool_choice: Literal["auto", "none"] | None = None
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
    reasoning_effort: None = None
    top_logprobs: None = None
    web_search_options: None = None

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with a chunk of usage."""
        return self.stream_options is not None and self.stream_options.include_usage is True


_decoder = msgspec.json.Decoder(ChatRequest)


def decode_chat_request(body: bytes) -> ChatRequest:
    """Decode and check one body; raises InvalidRequest naming the field."""
    try:
        request = decode_json(_decoder, body)
    except InvalidRequest as error:
        raise explained(error, body) from None
    if request.logprobs:
        raise InvalidRequest(
            "'logprobs' is not supported. Remove it.", param="logprobs", kind=UNSUPPORTED
        )
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        raise InvalidRequest(
            "Give 'max_completion_tokens' or 'max_tokens', not both.", param="max_tokens"
        )
    return request


def body_of_chat(request: ChatRequest) -> Body:
    """The message as the ledger keeps it: one shape behind every door."""
    return Body.of(
        request,
        input=[_item(message) for message in request.messages],
        max_output_tokens=request.max_completion_tokens or request.max_tokens,
        text=TextOptions(_format(request.response_format), request.verbosity),
    )


def _item(message: ChatMessage) -> MessageItem:
    return MessageItem(message.role, spelled(_content(message)), name=message.name)


def _content(message: ChatMessage) -> Content:
    said = message.content
    if isinstance(said, str):
        return said
    if said is None:
        return [RefusalPart(message.refusal)] if message.refusal else ""
    return [text_part(part.text, message.role is Role.ASSISTANT) for part in said]


def _format(asked: ResponseFormat | None) -> TextFormat | None:
    """In the words of `text.format`, where the schema lies one level higher."""
    if asked is None or asked.type != "json_schema":
        return None if asked is None else TextFormat(asked.type)
    wanted = asked.json_schema
    if wanted is None:
        raise InvalidRequest(
            "Missing required parameter: 'response_format.json_schema'.",
            param="response_format.json_schema",
            kind="missing_required_parameter",
        )
    return TextFormat(asked.type, **msgspec.structs.asdict(wanted))
