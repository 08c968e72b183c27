"""/v1/responses/{id}/feedback: say how an answer was, and read what was said."""

from __future__ import annotations

import re
from math import ceil
from typing import Final

import msgspec

from ingress.api.door import Door
from ingress.api.feedback.feedback_object import feedback_list, feedback_object
from ingress.api.feedback.following import FeedbackFollowing
from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange
from ingress.authentication import Caller
from ingress.patience import Patience
from ingress.prompt_ledger import unknown_response
from shared.batches.items import BatchItems
from shared.errors import Conflict
from shared.feedback.book import ChangedTooOften, FeedbackBook, Given
from shared.feedback.record import response_id_of
from shared.feedback.verdict import FeedbackVerdict, read_verdict
from shared.identifiers import BATCH, BATCH_REQUEST
from shared.messages.record import MessageRecord

_LINE: Final = re.compile(rf"{BATCH_REQUEST}_([0-9a-f]{{32}})_([0-9]{{1,8}})")


class FeedbackEndpoints:
    """Of answers of the caller's tenant: another tenant's do not exist."""

    def __init__(
        self, door: Door, book: FeedbackBook, items: BatchItems, following: FeedbackFollowing
    ) -> None:
        self._door = door
        self._book = book
        self._items = items
        self._following = following
        self._patience = Patience(door.settings.ledger_timeout_seconds)

    async def give(self, exchange: Exchange) -> None:
        """Keep a verdict; the same again changes nothing."""
        door = self._door
        caller = await door.caller(exchange)
        said = read_verdict(await door.read_json(exchange))
        record = await self._judged(exchange, caller)
        if record.finished_at is None:
            raise Conflict(f"Response '{record.id}' has not ended. Judge it when it has.")
        if record.erased_at is not None:
            said = msgspec.structs.replace(said, comment=None)  # what was said of it is erased, too
        given = await self._kept(record, said)
        await self._following.follow(record, given)
        await exchange.answer(200, msgspec.json.encode(feedback_object(given.record)))

    async def list(self, exchange: Exchange) -> None:
        """All that was said of one answer."""
        caller = await self._door.caller(exchange)
        record = await self._judged(exchange, caller)
        found = await self._patience.wait(self._book.of(caller.tenant.id, record.id))
        await exchange.answer(200, msgspec.json.encode(feedback_list(found)))

    async def _judged(self, exchange: Exchange, caller: Caller) -> MessageRecord:
        """The message, or what is left of it; raises NotFound, whosever it is."""
        name = exchange.parameters["response_id"]
        tenant_id = caller.tenant.id
        message_id: str | None = response_id_of(name)
        if line := _LINE.fullmatch(name):
            asking = self._items.message_of(f"{BATCH}_{line[1]}", int(line[2]), tenant_id=tenant_id)
            message_id = await self._patience.wait(asking)
        record = None
        if message_id is not None:
            record = await self._door.ledger.trace(message_id, tenant_id=tenant_id)
        if record is None:
            raise unknown_response(name)
        return record

    async def _kept(self, record: MessageRecord, said: FeedbackVerdict) -> Given:
        try:
            return await self._patience.wait(self._book.give(record.tenant_id, record.id, said))
        except ChangedTooOften as error:
            wait = b"%d" % max(1, ceil(error.retry_after_seconds or 1.0))
            raise HttpRefusal(
                429, error.message, code=error.code, headers=((b"retry-after", wait),)
            ) from error
