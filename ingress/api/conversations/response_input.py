"""What a response was or would be made from: its input's items, and how many tokens they are."""

from __future__ import annotations

from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from ingress.api.conversations.paging import PageRequest
from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from ingress.patience import Patience
from shared.conversations.history import ConversationRepository
from shared.decoding import Json, decode_json, whole_json
from shared.errors import InvalidRequest
from shared.files.message_contents import MessageContents
from shared.messages.body import Body
from shared.messages.item import Item
from shared.messages.output import asked_by_id
from shared.messages.requests.calls import check_text
from shared.messages.requests.create_response import CreateResponse, body_of, place_in_input
from shared.messages.requests.unsupported import explained
from shared.messages.requests.written_item import WrittenItem
from shared.messages.stored_body import decode_body
from shared.settings.turn.context import ContextSettings
from shared.storable_text import is_storable


class CountInputTokens(CreateResponse, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of POST /v1/responses, of which nothing has to be there."""

    input: (
        Annotated[str, msgspec.Meta(min_length=1)]
        | Annotated[list[WrittenItem], msgspec.Meta(min_length=1)]
        | None
    ) = None  # type: ignore[assignment]


class InputTokens(msgspec.Struct, frozen=True):
    """How much a model would have to read, estimated."""

    input_tokens: int
    object: Literal["response.input_tokens"] = "response.input_tokens"


class _Place(NamedTuple):
    """Where a message would stand that is not there yet."""

    tenant_id: str
    previous_id: str | None
    conversation_id: str | None
    id: str = ""


_decoder: Final = msgspec.json.Decoder(CountInputTokens)


class ResponseInput:
    """Reads what was sent with a response, and counts what is about to be."""

    def __init__(
        self,
        door: Door,
        conversations: ConversationRepository,
        contents: MessageContents,
        context: ContextSettings,
    ) -> None:
        self._door = door
        self._conversations = conversations
        self._contents = contents
        self._context = context
        self._patience = Patience(door.settings.ledger_timeout_seconds)

    async def items(self, exchange: Exchange) -> None:
        """A page of the items that came with a response, without those of its conversation."""
        door = self._door
        caller = await door.caller(exchange)
        page = PageRequest.of(exchange)
        record = await door.find(exchange.parameters["response_id"], caller)
        said = decode_body(record.body.encode()).input
        whole = self._contents.whole(said, tenant_id=record.tenant_id)
        asked = asked_by_id(record.id, await self._patience.wait(whole))
        await exchange.answer(200, msgspec.json.encode(page.of_items(asked)))

    async def tokens(self, exchange: Exchange) -> None:
        """What a message would come to with all that was said before, before it is fitted."""
        door = self._door
        caller = await door.caller(exchange)
        body = _decoded(await door.read_json(exchange), door.settings.text_limit_bytes)
        body = await door.references.resolved(body, tenant_id=caller.tenant.id)
        earlier, added = await self._before(body, caller.tenant.id)
        whole = msgspec.structs.replace(body, input=[*earlier, *added])
        tokens = whole.tokens() + await door.references.named_tokens(body, caller.tenant.id)
        await exchange.answer(200, msgspec.json.encode(InputTokens(tokens)))

    async def _before(self, body: Body, tenant_id: str) -> tuple[list[Item], list[Item]]:
        place = _Place(tenant_id, body.previous_response_id, body.conversation)
        return await self._patience.wait(
            self._conversations.before(
                place,
                body.input,
                limit=self._context.message_limit,
                limit_bytes=self._context.history_bytes,
            )
        )


def _decoded(raw: Json, text_limit_bytes: int) -> Body:
    try:
        asked = decode_json(_decoder, raw)
        body = body_of(msgspec.structs.replace(asked, input=asked.input or []))
    except InvalidRequest as error:
        raise explained(error, whole_json(raw)) from None
    check_text(body, len(whole_json(raw)), place_in_input, limit_bytes=text_limit_bytes)
    for name in ("previous_response_id", "conversation"):
        if not is_storable(getattr(body, name) or ""):
            raise InvalidRequest(f"'{name}' contains a NUL character. Remove it.", param=name)
    return body
