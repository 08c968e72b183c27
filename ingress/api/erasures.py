"""/v1/erasures: have all of a user's or a conversation's erased, and read how far that is."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from shared.decoding import decode_json
from shared.erasing.erasures import LONGEST_NAME, Erasure, Erasures
from shared.erasing.tables import ErasureSubject
from shared.errors import InvalidRequest, NotFound

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]


class ErasureRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose: `user` as messages name it in `safety_identifier` or `user`, or `conversation`."""

    user: _Name | None = None
    conversation: _Name | None = None


class ErasedCounts(msgspec.Struct, frozen=True):
    """What went so far. Messages that had not ended are cancelled first, and counted in both."""

    messages: int
    cancelled: int
    stored_answers: int


class ErasureObject(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One erasure. Whose it is, is told until it is done; times are Unix times."""

    id: str
    object: Literal["erasure"]
    created_at: int
    completed_at: int | None
    status: Literal["in_progress", "completed"]
    erased: ErasedCounts
    user: str | None = None
    conversation: str | None = None


_request_decoder: Final = msgspec.json.Decoder(ErasureRequest)


class ErasureEndpoints:
    """Those of the caller's tenant. The work is the workers', a little at a time."""

    def __init__(self, door: Door, erasures: Erasures) -> None:
        self._door = door
        self._erasures = erasures

    async def create(self, exchange: Exchange) -> None:
        """Begin one, or name the one that is under way; raises InvalidRequest."""
        door = self._door
        caller = await door.caller(exchange)
        subject, name = _whose(decode_json(_request_decoder, await door.read_json(exchange)))
        await _answer(exchange, await self._erasures.begin(caller.tenant.id, subject, name))

    async def retrieve(self, exchange: Exchange) -> None:
        """How far one is; raises NotFound."""
        caller = await self._door.caller(exchange)
        erasure_id = exchange.parameters["erasure_id"]
        found = await self._erasures.find(erasure_id, tenant_id=caller.tenant.id)
        if found is None:
            raise NotFound(f"There is no erasure '{erasure_id[:64]}'.", param="erasure_id")
        await _answer(exchange, found)


def _whose(asked: ErasureRequest) -> tuple[ErasureSubject, str]:
    named = {ErasureSubject.USER: asked.user, ErasureSubject.CONVERSATION: asked.conversation}
    given = [(subject, name) for subject, name in named.items() if name is not None]
    if len(given) != 1:
        raise InvalidRequest(
            "Name either a 'user' or a 'conversation': all of its messages are erased.",
            param="user",
        )
    return given[0]


async def _answer(exchange: Exchange, erasure: Erasure) -> None:
    is_done = erasure.completed_at is not None
    told = ErasureObject(
        id=erasure.id,
        object="erasure",
        created_at=int(erasure.created_at.timestamp()),
        completed_at=int(erasure.completed_at.timestamp()) if erasure.completed_at else None,
        status="completed" if is_done else "in_progress",
        erased=ErasedCounts(erasure.messages, erasure.cancelled, erasure.stored_answers),
        **({str(erasure.subject): erasure.name} if erasure.name else {}),
    )
    await exchange.answer(200, msgspec.json.encode(told))
