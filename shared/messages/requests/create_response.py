"""The body of POST /v1/responses: what we take, and nothing that we would silently ignore."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from shared.decoding import Json, decode_json, whole_json
from shared.errors import InvalidRequest
from shared.messages.body import (
    Body,
    ConversationReference,
    Identifier,
    ResponseFields,
    TopLogprobs,
)
from shared.messages.item import Item
from shared.messages.requests.breakpoints import check_breakpoints
from shared.messages.requests.calls import TEXT_LIMIT_BYTES, check_items, check_text
from shared.messages.requests.tools import Mode, WrittenChoice, check_tools, choice_of, offer
from shared.messages.requests.unsupported import explained
from shared.messages.requests.written_item import WrittenItem, item_of, message_of_text
from shared.messages.requests.written_tool import (
    RESULTS,
    WrittenTool,
    file_search_at,
    functions_of,
    place_of_search,
)
from shared.messages.tool import ReasoningOptions, Summary

LOGPROBS: Final = "message.output_text.logprobs"
Included = Literal[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
]


class StreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a stream is sent. Obfuscation is accepted as OpenAI's clients send it; we add none."""

    include_obfuscation: bool | None = None


class WrittenReasoning(ReasoningOptions, frozen=True, forbid_unknown_fields=True):
    """How much a model thinks; `generate_summary` is the older name of `summary`."""

    generate_summary: Summary | None = None
    context: Literal["auto"] | None = None
    mode: None = None

    def spelled(self) -> ReasoningOptions | None:
        """None where nothing is asked."""
        summary = self.summary or self.generate_summary
        return ReasoningOptions(self.effort, summary) if self.effort or summary else None


class CreateResponse(ResponseFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message. A field that is absent here is refused by its name."""

    input: (
        Annotated[str, msgspec.Meta(min_length=1)]
        | Annotated[list[WrittenItem], msgspec.Meta(min_length=1)]
    )
    conversation: Identifier | ConversationReference | None = None
    stream_options: StreamOptions | None = None
    max_tool_calls: Annotated[int, msgspec.Meta(ge=1)] | None = None
    tools: list[WrittenTool] | None = None
    tool_choice: Mode | WrittenChoice | None = None
    reasoning: WrittenReasoning | None = None
    include: list[Included] | None = None
    """Additions to the answer: log probabilities, and what a search found. The others are empty
    here, for nothing that they belong to is supported."""
    top_logprobs: TopLogprobs | None = None
    # OpenAI's, and not supported: clients with types send them all the same, as null.
    access_programs: None = None
    background_options: None = None
    context_management: None = None
    image: None = None
    moderation: None = None
    prompt: None = None
    prompt_cache_options: None = None
    prompt_cache_retention: None = None

    @property
    def logprobs(self) -> int | None:
        """How many likely tokens are asked for beside each that is written; None for not even its
        own probability, as where a client says 0 and does not ask to include them."""
        wants = LOGPROBS in (self.include or ())
        return (self.top_logprobs or 0) if wants else self.top_logprobs or None


_decoder = msgspec.json.Decoder(CreateResponse)


def decode_create_response(raw: Json, *, text_limit_bytes: int = TEXT_LIMIT_BYTES) -> Body:
    """What one request means; raises InvalidRequest naming the field, an item by its place, and
    TooLarge for more text than the limit."""
    try:
        body = body_of(decode_json(_decoder, raw))
    except InvalidRequest as error:
        raise explained(error, whole_json(raw)) from None
    size_bytes = len(whole_json(raw))
    if size_bytes > text_limit_bytes:
        check_text(body, size_bytes, place_in_input, limit_bytes=text_limit_bytes)
    return body


def body_of(request: CreateResponse) -> Body:
    """The same of one that was decoded."""
    if request.previous_response_id and request.conversation:
        raise InvalidRequest(
            "Give either 'previous_response_id' or 'conversation', not both.", param="conversation"
        )
    body = Body.of(
        request,
        _items(request.input),
        conversation=request.conversation,
        max_tool_calls=request.max_tool_calls,
        reasoning=request.reasoning.spelled() if request.reasoning else None,
        top_logprobs=request.logprobs,
        **_offered(request),
    )
    if not isinstance(request.input, str) and not body.refers:
        check_items(body.input, place_in_input, continues=body.continues)
    if not isinstance(request.input, str):
        check_breakpoints(body, place_in_input)
    if body.tools or body.tool_choice:
        search_at = place_of_search(request.tools or ())
        check_tools(body.tools or (), body.tool_choice, search_at=search_at)
    return body


def place_in_input(index: int) -> str:
    """How callers know an item."""
    return f"input[{index}]"


def _offered(request: CreateResponse) -> dict[str, Any]:
    if request.tools is None and request.tool_choice is None:
        return {}
    written, choice = request.tools or (), choice_of(request.tool_choice)
    search_at = place_of_search(written)
    if search_at is None:
        return offer(functions_of(written), choice)
    tells = RESULTS in (request.include or ())
    return {
        "tools": functions_of(written),
        "tool_choice": choice,
        "file_search": file_search_at(written, search_at, tells_results=tells),
    }


def _items(written: str | list[WrittenItem]) -> str | list[Item]:
    if isinstance(written, str):
        return written
    return [
        message_of_text(item) or item_of(item, place_in_input(index))
        for index, item in enumerate(written)
    ]
