"""What was asked in a time and may be asked again, and what came of it then."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec

from deploy.cli.eval.cutting.cutting import CaseCutter
from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.judging.sights import LedgerSights
from shared.messages.body import Body
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.turn_report import decode_report
from shared.persistence.engine import Database
from shared.views.message_pages import MessageFilter, MessagePages
from workers.judging.kept_message import NotCut, body_of, kept_message

_PAGE: Final = 1_000
_WHOLE: Final = 2**64
_NOTHING: Final = "-"


class RecordedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A message that can be asked again. `body` is that of POST /v1/responses, without a model
    where it named none; `question` is the same as one text."""

    id: str
    at: datetime
    conversation: str
    body: dict[str, Any]
    question: str
    answered: AnsweredCase


class RecordedTraffic:
    """Of one tenant, between two moments. Everything raises LedgerUnavailable."""

    def __init__(
        self, database: Database, *, tenant_id: str, since: datetime, until: datetime
    ) -> None:
        self._database = database
        self._wanted = MessageFilter(tenant_id=tenant_id, since=since, until=until)
        self._tenant_id = tenant_id
        self._cutter = CaseCutter(database, rubric=_NOTHING, redactor=None)
        self._sights = LedgerSights(database)

    async def drawn(self, share: float) -> list[str]:
        """Ids of this share of all messages, the oldest first: always the same ones of the same
        messages, and all of a smaller share are in a larger one."""
        pages, before, found = MessagePages(self._database), None, list[str]()
        while True:
            page = await pages.page(self._wanted, before=before, limit=_PAGE)
            found += [each.id for each in page.rows if is_drawn(each.id, share)]
            if page.next is None:
                return found[::-1]
            before = page.next

    async def read(self, message_id: str) -> RecordedAnswer:
        """Raises NotCut, to be read behind "messages", for what must not or cannot be asked."""
        record = await kept_message(self._database, message_id, tenant_id=self._tenant_id)
        _refuse(record)
        body = body_of(record)
        case = await self._cutter.case_of(message_id, tenant_id=self._tenant_id)
        named = {} if body.model is None else {"model": body.model}
        return RecordedAnswer(
            id=record.id,
            at=record.accepted_at,
            conversation=record.conversation_id or record.id,
            body={**case.body(collection_id=_collection(body)), **named, "store": False},
            question=case.asked,
            answered=AnsweredCase(
                state=str(record.state),
                response_id=record.id,
                text=record.output_text or "",
                model=record.model,
                input_tokens=record.input_tokens,
                output_tokens=record.output_tokens,
                sight=await self._sights.of(record.id),
            ),
        )


def is_drawn(message_id: str, share: float) -> bool:
    """Whether this message is in the share."""
    digest = blake2b(message_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _WHOLE < share


def _refuse(record: MessageRecord) -> None:
    report = decode_report(record.report)
    if not record.state.is_terminal:
        raise NotCut("have not ended")
    if record.state is ResponseState.CANCELLED:
        raise NotCut("were cancelled")
    if report is not None and report.cache is not None:
        raise NotCut("were given a stored answer, which no model gave then")


def _collection(body: Body) -> str | None:
    search = body.file_search
    if search is None:
        return None
    if search.principals is not None:
        raise NotCut("search as somebody, which nobody else may")
    if len(search.vector_store_ids) != 1:
        raise NotCut("search several collections")
    return search.vector_store_ids[0]
