"""What a worker needs to answer: the body kept in the ledger, whichever door it came through."""

from __future__ import annotations

import msgspec

from shared.messages.input_item import InputItem, Role


class MessageBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The superset of our surfaces' bodies; a stored POST /v1/responses body decodes as it is."""

    model: str | None = None
    input: str | list[InputItem]
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, str] | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    text: dict[str, object] | None = None
    metadata: dict[str, str] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    parallel_tool_calls: bool | None = None
    truncation: str | None = None
    background: bool | None = None
    store: bool | None = None
    stream: bool | None = None
    cache_control: str | None = None

    @property
    def items(self) -> list[InputItem]:
        """The input as items, a plain string being one item of the user's."""
        if isinstance(self.input, str):
            return [InputItem(Role.USER, self.input)]
        return self.input

    @property
    def conversation_id(self) -> str | None:
        """The conversation it names, in either of OpenAI's spellings."""
        if isinstance(self.conversation, dict):
            return self.conversation.get("id")
        return self.conversation


class _Manner(msgspec.Struct):
    stream: bool | None = None


_decoder = msgspec.json.Decoder(MessageBody)
_manner = msgspec.json.Decoder(_Manner)


def decode_body(raw: bytes) -> MessageBody:
    """The body as it was committed; raises msgspec.DecodeError where the ledger holds another."""
    return _decoder.decode(raw)


def is_streamed(raw: bytes) -> bool:
    """Whether its answer is streamed, for who needs to know no more of it; raises as above."""
    return bool(_manner.decode(raw).stream)
