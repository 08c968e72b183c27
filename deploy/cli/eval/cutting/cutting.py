"""One message of the ledger as a case: what was asked, with what was said before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from deploy.cli.eval.cutting.redaction import Redactor
from shared.conversations.history import ConversationRepository
from shared.errors import ForebayError, InvalidRequest
from shared.evaluation.golden.case import COLLECTION, GoldenCase
from shared.evaluation.golden.checks import Check, FactsCheck, JudgeCheck, SchemaCheck
from shared.messages.body import Body
from shared.messages.facts import facts_of
from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem
from shared.messages.record import MessageRecord
from shared.messages.response import response_object
from shared.messages.stored_body import attachments_of
from shared.persistence.engine import Database
from workers.judging.kept_message import NotCut, body_of, kept_message

_TOLD: Final = ("instructions", "tools", "tool_choice", "temperature", "top_p", "max_output_tokens")
_MOST_MESSAGES: Final = 100
_MOST_BYTES: Final = 1_048_576
_OURS: Final = re.compile(r"_([0-9a-f]{32})(?:_\d+)?$")


class CaseCutter:
    """Makes cases of messages. Without a redactor they hold what was said."""

    def __init__(self, database: Database, *, rubric: str, redactor: Redactor | None) -> None:
        self._database = database
        self._history = ConversationRepository(database)
        self._rubric = rubric
        self._redactor = redactor

    async def case_of(self, response_id: str, *, tenant_id: str) -> GoldenCase:
        """Raises NotCut for what may not be kept or cannot be asked again, LedgerUnavailable."""
        record = await kept_message(self._database, response_id, tenant_id=tenant_id)
        body = body_of(record)
        asked = body.input
        items = [*await self._before(record, asked), *asked]
        if any(True for item in items for _ in attachments_of(item)):
            raise NotCut("hold images or files")
        facts = _facts(body)
        told = [each for each in map(self._told, items) if each is not None]
        request = self._redacted(_request(record, body))
        return GoldenCase(
            id=f"cut-{_digest(record.id)}",
            input=told[0]["content"] if _is_one_question(told) else told,
            checks=tuple(self._checks(body, facts)),
            request=request,
            facts=self._redacted(facts),
            conversation=f"conv-{_digest(record.conversation_id or record.id)}",
            tags=("from-traffic",),
        )

    async def _before(self, record: MessageRecord, asked: Sequence[Item]) -> list[Item]:
        """What was said before it; what came after it in its conversation is no part of it."""
        if record.previous_id is not None:
            try:
                before, _ = await self._history.before(
                    record, asked, limit=_MOST_MESSAGES, limit_bytes=_MOST_BYTES
                )
            except ForebayError as error:
                raise NotCut("go on with what is gone") from error
            return before
        if record.conversation_id is None:
            return []
        all_said = await self._history.within(
            record.tenant_id,
            record.conversation_id,
            limit=_MOST_MESSAGES,
            limit_bytes=_MOST_BYTES,
        )
        own = record.id.rpartition("_")[2]
        ages = [_OURS.search(each.id or "") for each in all_said]
        if None in ages:
            raise NotCut("lie in a conversation with items of others, whose order is not known")
        return [
            each.item
            for each, age in zip(all_said, ages, strict=True)
            if age is not None and age[1] < own
        ]

    def _told(self, item: Item) -> dict[str, Any] | None:
        """As it is sent; None of what only its own provider could read."""
        if isinstance(item, MessageItem):
            return {"role": str(item.role), "content": self._redacted(item.text())}
        if isinstance(item, FunctionCall):
            arguments = self._arguments(item.arguments)
            named = {"call_id": item.call_id, "name": item.name, "arguments": arguments}
            return {"type": "function_call", **named}
        if isinstance(item, FunctionCallOutput):
            said = {"call_id": item.call_id, "output": self._redacted(item.text())}
            return {"type": "function_call_output", **said}
        return None

    def _arguments(self, written: str) -> str:
        told = written if self._redactor is None else self._redactor.arguments(written)
        if told is None:
            raise NotCut("call tools with what cannot be taken out")
        return told

    def _redacted(self, value: Any) -> Any:
        return value if self._redactor is None else self._redactor.value(value)

    def _checks(self, body: Body, facts: dict[str, Any]) -> list[Check]:
        checks: list[Check] = []
        if facts:
            checks.append(FactsCheck())
        asked = body.text.format if body.text else None
        if asked is not None and asked.type == "json_schema" and asked.schema is not None:
            checks.append(SchemaCheck(dict(asked.schema)))
        return [*checks, JudgeCheck(self._rubric)]


def _request(record: MessageRecord, body: Body) -> dict[str, Any]:
    """What it asked for beside its text; who asked is no part of it."""
    told = msgspec.to_builtins(response_object(record, body))
    asked = {name: told[name] for name in _TOLD if told.get(name) not in (None, [], "auto")}
    if body.text is not None:
        asked["text"] = told["text"]
    for tool in asked.get("tools", []):
        if "vector_store_ids" in tool:
            tool["vector_store_ids"] = [COLLECTION]
    return asked


def _facts(body: Body) -> dict[str, Any]:
    try:
        facts = facts_of(body.metadata)
    except InvalidRequest as error:
        raise NotCut("have facts that cannot be read") from error
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(facts))
    return plain


def _is_one_question(told: Sequence[dict[str, Any]]) -> bool:
    return len(told) == 1 and told[0].get("role") == "user" and bool(told[0]["content"])


def _digest(identifier: str) -> str:
    """Names a case without leading back to its message."""
    return sha256(identifier.encode()).hexdigest()[:24]
