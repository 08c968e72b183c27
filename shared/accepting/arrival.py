"""A message at either door: all that accepting it needs, and nothing of how it travelled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from shared.answer_cache.cache_control import read_cache_control
from shared.decoding import LARGE_BYTES
from shared.errors import InvalidRequest
from shared.identifiers import new_response_id
from shared.large_content import APART_CHARACTERS
from shared.messages.answer_format import SCHEMA_PARAM, JsonBySchema, JsonObject, answer_format
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.facts import facts_of
from shared.messages.item import are_only_text
from shared.messages.lane import Lane, lane_of
from shared.messages.record import ReplyShape, Surface
from shared.messages.requests.calls import LARGEST_OUTPUT_TOKENS
from shared.messages.stored_body import KeptBody, apart
from shared.messages.tenant import Tenant
from shared.token_count import tokens_of_size

_LOOKED_THROUGH_BYTES: Final = 65_536
_LONGEST_REPLY_ADDRESS: Final = 255
_SCHEMA_PARAMS: Final = {
    Surface.CHAT: "response_format.json_schema.schema",
    Surface.MESSAGES: "output_config.format.schema",
}


class ClientRetry(msgspec.Struct, frozen=True):
    """How often a client has sent this request before, by its own count; `scope` is its key's."""

    scope: str
    count: int


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One message that wants in.

    `kept` is what `keep` makes of `body`, for the ledger. `deadline` is absolute; None takes the
    lane's own. `client_retry` is told by clients that repeat by themselves, and heeded where there
    is no `idempotency_key`. Whoever means to wait for the answer listens to `message_id` before
    handing the arrival in, so that no wake-up is missed.
    """

    tenant: Tenant
    body: Body
    kept: KeptBody
    surface: Surface
    message_id: str = msgspec.field(default_factory=new_response_id)
    idempotency_key: str | None = None
    client_retry: ClientRetry | None = None
    deadline: datetime | None = None
    trace: dict[str, str] = {}
    reply_to: str | None = None
    reply_correlation: str | None = None
    reply_shape: ReplyShape | None = None
    named_bytes: int = 0
    """Of the files that the body names by their ids, in base64."""

    @property
    def user(self) -> str | None:
        """The tenant's end user, in either of OpenAI's spellings."""
        return self.body.user_id

    @property
    def input_tokens(self) -> int:
        """What a model would have to read, estimated."""
        return self.body.tokens() + tokens_of_size(self.named_bytes)

    @property
    def lane(self) -> Lane:
        """Where it queues; raises InvalidRequest for a tier that we do not have."""
        tier = self.body.service_tier
        return Lane.STANDARD if tier is None else lane_of(tier)

    def check(self) -> None:
        """Raises InvalidRequest for what decodes, and yet no database or server could hold."""
        # JSON spells NUL as an escape, so a body without one needs no closer look; one that is
        # large is not looked through.
        if len(self.kept.raw) > _LOOKED_THROUGH_BYTES or b"\\u0000" in self.kept.raw:
            for name, value in self._names():
                _refuse_nul(name, value)
        _refuse_nul("idempotency_key", self.idempotency_key)
        for name, value in (
            ("reply_to", self.reply_to),
            ("correlation_id", self.reply_correlation),
        ):
            _refuse_nul(name, value)
            if value is not None and len(value) > _LONGEST_REPLY_ADDRESS:
                raise InvalidRequest(
                    f"'{name}' is longer than {_LONGEST_REPLY_ADDRESS} characters. Shorten it.",
                    param=name,
                )
        _check_numbers(self.body)
        if self.body.text is not None:
            self._answer_format()
        if self.body.metadata is not None:
            facts_of(self.body.metadata)
        if self.body.cache_control is not None:
            read_cache_control(self.body.cache_control)

    @property
    def unchecked_patterns(self) -> tuple[str, ...]:
        """The patterns of its JSON Schema that no answer will be held against, by their places."""
        if self.body.text is None or b'"pattern' not in self.kept.raw:
            return ()
        form = self._answer_format()
        return () if form is None else form.unchecked

    def _answer_format(self) -> JsonObject | JsonBySchema | None:
        return answer_format(self.body.text, param=_SCHEMA_PARAMS.get(self.surface, SCHEMA_PARAM))

    def _names(self) -> Iterator[tuple[str, str | None]]:
        body = self.body
        yield "model", body.model
        yield "user", body.user
        yield "safety_identifier", body.safety_identifier
        yield "conversation", body.conversation
        yield "previous_response_id", body.previous_response_id
        yield "prompt_cache_key", body.prompt_cache_key
        for key, value in (body.metadata or {}).items():
            yield "metadata", key
            yield "metadata", value


def names_nothing(body: Body) -> bool:
    """Whether all that it is about is in it: nothing need be looked up before it is let in."""
    is_whole = body.conversation is None and body.file_search is None
    return is_whole and are_only_text(body.input)


async def keep(body: Body) -> KeptBody:
    """What is to be kept of it; the work on a large one is done beside the loop."""
    if body.attached_bytes() >= APART_CHARACTERS:
        return await asyncio.to_thread(apart, body)
    raw = encode_body(body)
    if len(raw) < LARGE_BYTES:
        return KeptBody(raw, len(raw))
    return KeptBody(raw, len(raw), await asyncio.to_thread(body_digest, body, raw))


def _refuse_nul(name: str, value: str | None) -> None:
    if value is not None and "\0" in value:
        raise InvalidRequest(f"'{name}' contains a NUL character. Remove it.", param=name)


def _check_numbers(body: Body) -> None:
    if (body.max_output_tokens or 0) > LARGEST_OUTPUT_TOKENS:
        raise InvalidRequest(
            f"'max_output_tokens' is above {LARGEST_OUTPUT_TOKENS}. Ask for less.",
            param="max_output_tokens",
        )


def seen_by(body: Body, principals: tuple[str, ...] | None) -> Body:
    """The body, whose search finds what these may see."""
    if body.file_search is None or principals is None:
        return body
    search = msgspec.structs.replace(body.file_search, principals=principals)
    return msgspec.structs.replace(body, file_search=search)
