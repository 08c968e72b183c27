"""The bodies of POST /v1/messages and …/count_tokens, and the message that they mean."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from shared.decoding import Json, decode_json, whole_json
from shared.errors import InvalidRequest
from shared.messages.body import Body, CommonFields, Identifier
from shared.messages.part import CacheBreakpoint
from shared.messages.requests.breakpoints import check_breakpoints, kept_up_to
from shared.messages.requests.calls import (
    LARGEST_OUTPUT_TOKENS,
    TEXT_LIMIT_BYTES,
    Place,
    check_items,
    check_text,
)
from shared.messages.requests.tools import check_tools, offer
from shared.surfaces.messages.blocks import ConversationMessage, Nothing, TextBlock
from shared.surfaces.messages.conversation import items_of_messages
from shared.surfaces.messages.foreign import explained_kind
from shared.surfaces.messages.options import (
    JsonOutput,
    MessagesMetadata,
    OutputConfig,
    ThinkingOptions,
    reasoning_of,
    shows_thoughts,
    text_of,
    user_of,
)
from shared.surfaces.messages.tools import (
    MessagesTool,
    MessagesToolChoice,
    choice_of_messages,
    tools_of_messages,
)

_TIERS: Final = {"standard_only": "default"}


class CountTokensRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a model would read. A field that is absent here is refused by its name."""

    messages: Annotated[list[ConversationMessage], msgspec.Meta(min_length=1)]
    model: Identifier | None = None
    system: str | list[TextBlock] | None = None
    tools: list[MessagesTool] | None = None
    tool_choice: MessagesToolChoice | None = None
    thinking: ThinkingOptions | None = None
    output_config: OutputConfig | None = None
    output_format: JsonOutput | None = None
    cache_control: CacheBreakpoint | None = None
    """Up to the end of what is said."""
    mcp_servers: Nothing | None = None
    # Anthropic's, and not supported: clients with types may send them all the same, as null.
    context_management: None = None
    speed: None = None
    user_profile_id: None = None
    workspace_id: None = None


class MessagesRequest(CountTokensRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message in Anthropic's shape. A field that is absent here is refused by its name."""

    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_OUTPUT_TOKENS)]
    stop_sequences: Annotated[list[str], msgspec.Meta(max_length=4)] | None = None
    stream: bool | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
    metadata: MessagesMetadata | None = None
    service_tier: Literal["auto", "standard_only", "priority", "default", "flex"] | None = None
    container: None = None
    diagnostics: None = None
    inference_geo: None = None

    @property
    def shows_thoughts(self) -> bool:
        """Whether the answer has what was thought."""
        return shows_thoughts(self.thinking)


Written = TypeVar("Written", bound=CountTokensRequest)
_message: Final = msgspec.json.Decoder(MessagesRequest)
_count: Final = msgspec.json.Decoder(CountTokensRequest)


def decode_messages_request(
    raw: Json, *, text_limit_bytes: int = TEXT_LIMIT_BYTES
) -> tuple[MessagesRequest, Body]:
    """One request and what it means; raises InvalidRequest naming the field, a block by its
    place, and TooLarge for more text than the limit."""
    request = _decoded(_message, raw)
    asked = CommonFields(
        model=request.model,
        parallel_tool_calls=_parallel(request.tool_choice),
        safety_identifier=user_of(request.metadata),
        service_tier=_TIERS.get(request.service_tier or "", request.service_tier),
        stream=request.stream,
        temperature=request.temperature,
        top_p=request.top_p,
    )
    body, place = _body(
        request,
        asked,
        max_output_tokens=request.max_tokens,
        stop=request.stop_sequences,
        top_k=request.top_k,
    )
    check_text(body, len(whole_json(raw)), place, limit_bytes=text_limit_bytes)
    return request, body


def decode_count_tokens(raw: Json, *, text_limit_bytes: int = TEXT_LIMIT_BYTES) -> Body:
    """The same of a request that only wants to know how long it is."""
    body, place = _body(_decoded(_count, raw), CommonFields())
    check_text(body, len(whole_json(raw)), place, limit_bytes=text_limit_bytes)
    return body


def _decoded(decoder: msgspec.json.Decoder[Written], raw: Json) -> Written:
    try:
        return decode_json(decoder, raw)
    except InvalidRequest as error:
        raise explained_kind(error, whole_json(raw)) from None


def _body(request: CountTokensRequest, asked: CommonFields, **limits: Any) -> tuple[Body, Place]:
    items, places = items_of_messages(request.system, request.messages)
    items[-1] = kept_up_to(items[-1], request.cache_control)
    body = Body.of(
        asked,
        items,
        text=text_of(request.output_config, request.output_format),
        reasoning=reasoning_of(request.thinking, request.output_config),
        **offer(tools_of_messages(request.tools), choice_of_messages(request.tool_choice)),
        **limits,
    )
    check_items(body.input, places.__getitem__, continues=body.continues)
    check_tools(body.tools or (), body.tool_choice, schema="input_schema")
    check_breakpoints(body, places.__getitem__)
    return body, places.__getitem__


def _parallel(choice: MessagesToolChoice | None) -> bool | None:
    return False if choice is not None and choice.forbids_parallel else None
