"""The body of POST /v1/responses: what we take, and nothing that we would silently ignore."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from shared.decoding import decode_json
from shared.errors import InvalidRequest
from shared.messages.input_item import InputItem
from shared.messages.unsupported import explained

Metadata = Annotated[
    dict[Annotated[str, msgspec.Meta(max_length=64)], Annotated[str, msgspec.Meta(max_length=512)]],
    msgspec.Meta(max_length=16),
]
Verbosity = Literal["low", "medium", "high"]
Included = Literal[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class ConversationReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"id": "conv_…"}`, the other spelling of a conversation's id."""

    id: Identifier


class StreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a stream is sent. Obfuscation is accepted as OpenAI's clients send it; we add none."""

    include_obfuscation: bool | None = None


class TextFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, object] | None = None
    description: str | None = None
    strict: bool | None = None


class TextOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the answer is written. Providers that speak OpenAI's chat are told the verbosity."""

    format: TextFormat | None = None
    verbosity: Verbosity | None = None


class CreateResponse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message. A field that is absent here is refused by its name."""

    input: (
        Annotated[str, msgspec.Meta(min_length=1)]
        | Annotated[list[InputItem], msgspec.Meta(min_length=1)]
    )
    model: Identifier | None = None
    instructions: str | None = None
    previous_response_id: Identifier | None = None
    conversation: Identifier | ConversationReference | None = None
    background: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    store: bool | None = None
    metadata: Metadata | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    service_tier: str | None = None
    user: Identifier | None = None
    safety_identifier: Identifier | None = None
    prompt_cache_key: str | None = None
    truncation: Literal["auto", "disabled"] | None = None
    text: TextOptions | None = None
    parallel_tool_calls: bool | None = None
    tools: Annotated[list[object], msgspec.Meta(max_length=0)] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    include: list[Included] | None = None
    """Additions to the answer that are empty here, for nothing that they belong to is supported."""
    cache_control: str | None = None
    """Ours: what the header `Cache-Control` says, for those who have no headers."""
    # OpenAI's, and not supported: clients with types send them all the same, as null.
    context_management: None = None
    max_tool_calls: None = None
    moderation: None = None
    prompt: None = None
    prompt_cache_options: None = None
    prompt_cache_retention: None = None
    reasoning: None = None
    top_logprobs: None = None

    @property
    def user_id(self) -> str | None:
        """The tenant's end user, in either of OpenAI's spellings."""
        return self.safety_identifier or self.user


_decoder = msgspec.json.Decoder(CreateResponse)


def decode_create_response(body: bytes) -> CreateResponse:
    """Decode and check one body; raises InvalidRequest naming the field."""
    try:
        request = decode_json(_decoder, body)
    except InvalidRequest as error:
        raise explained(error, body) from None
    if request.previous_response_id and request.conversation:
        raise InvalidRequest(
            "Give either 'previous_response_id' or 'conversation', not both.", param="conversation"
        )
    return request
