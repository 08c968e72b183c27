"""/v1/cache: forget one stored answer or all, and report one that was wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import msgspec

from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from ingress.authentication import Caller
from shared.answer_cache.housekeeping import Housekeeping
from shared.answer_cache.stored_answer import CachePlace, place_of
from shared.decoding import decode_json
from shared.errors import Conflict, NotFound
from shared.feedback.book import ChangedTooOften, FeedbackBook
from shared.feedback.verdict import (
    LONGEST_COMMENT,
    WRONG_STORED_ANSWER,
    GivenFeedback,
    verdict_of,
)
from shared.identifiers import RESPONSE
from shared.messages.turn_report import decode_report
from shared.telemetry.logs import get_logger


class WrongHit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a report; it may be left out."""

    comment: Annotated[str, msgspec.Meta(max_length=LONGEST_COMMENT)] = ""


class DroppedAnswer(msgspec.Struct, frozen=True):
    """The answer to DELETE and to a report; `deleted` is false when it was gone already."""

    id: str
    deleted: bool
    object: str = "cache.entry"


class InvalidatedCache(msgspec.Struct, frozen=True):
    """The answer to DELETE of all; `entries` were stored until now."""

    entries: int
    object: str = "cache"


_report_decoder = msgspec.json.Decoder(WrongHit)


class StoredAnswers:
    """Entries by their own id, or by the id of a response that was answered with one.

    Another tenant's entries do not exist: the tenant is a part of each place.
    """

    def __init__(self, door: Door, housekeeping: Housekeeping, book: FeedbackBook) -> None:
        self._door = door
        self._housekeeping = housekeeping
        self._book = book
        self._log = get_logger(__name__)

    async def delete(self, exchange: Exchange) -> None:
        """Forget one; deleting twice is no error."""
        place, _ = await self._named(exchange, await self._door.caller(exchange))
        deleted = await self._housekeeping.drop(place)
        await _answer(exchange, DroppedAnswer(place.entry_id, deleted))

    async def report(self, exchange: Exchange) -> None:
        """Forget one because it was wrong, and keep that as feedback."""
        door = self._door
        caller = await door.caller(exchange)
        raw = await exchange.read_body(limit_bytes=door.settings.body_limit_bytes)
        report = decode_json(_report_decoder, raw) if raw.strip() else WrongHit()
        given = GivenFeedback(name=WRONG_STORED_ANSWER, value=True, comment=report.comment)
        place, response_id = await self._named(exchange, caller)
        said = verdict_of(given, entry=place.entry_id)
        about = response_id or await self._origin(place)
        deleted = await self._housekeeping.drop(place)
        if about:
            with suppress(Conflict, ChangedTooOften):  # it is gone, which is what was wanted
                await self._book.give(caller.tenant.id, about, said)
        door.metrics.wrong_cache_hits.inc()
        self._log.warning("wrong_cache_hit", tenant=caller.tenant.id, entry=place.entry_id)
        await _answer(exchange, DroppedAnswer(place.entry_id, deleted))

    async def invalidate(self, exchange: Exchange) -> None:
        """Forget all of the tenant's."""
        caller = await self._door.caller(exchange)
        entries = await self._housekeeping.invalidate(caller.tenant.id)
        await _answer(exchange, InvalidatedCache(entries))

    async def _named(self, exchange: Exchange, caller: Caller) -> tuple[CachePlace, str | None]:
        """The place that the path names, and the response it was named by."""
        name = exchange.parameters["entry_id"]
        response_id = name if name.startswith(f"{RESPONSE}_") else None
        entry = await self._entry_behind(name, caller) if response_id else name
        place = place_of(caller.tenant.id, entry)
        if place is None:
            raise NotFound(f"There is no stored answer '{name[:64]}'.", param="entry_id")
        return place, response_id

    async def _origin(self, place: CachePlace) -> str | None:
        """The response that it was first given to; None where it is gone."""
        kept = await self._housekeeping.show(place)
        return None if kept is None else kept.answer.response_id

    async def _entry_behind(self, response_id: str, caller: Caller) -> str:
        record = await self._door.find(response_id, caller)
        report = decode_report(record.report)
        if report is None or report.cache is None:
            raise NotFound(
                f"Response '{response_id}' was not answered from the cache.", param="entry_id"
            )
        return report.cache.entry


async def _answer(exchange: Exchange, body: msgspec.Struct) -> None:
    await exchange.answer(200, msgspec.json.encode(body))
