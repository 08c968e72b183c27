"""Whose message a span is about."""

from __future__ import annotations

import re
from typing import Final

from shared.identifiers import CONVERSATION
from shared.messages.record import MessageRecord
from shared.telemetry import genai
from shared.telemetry.message_spans.pseudonyms import Pseudonyms
from shared.telemetry.tracing import Attributes, AttributeValue

_OUR_ID: Final = re.compile(rf"{CONVERSATION}_[0-9a-f]{{32}}")


def whose(record: MessageRecord, pseudonyms: Pseudonyms) -> Attributes:
    """Its conversation and its user. What a caller wrote goes under a pseudonym or not at all;
    the conversation's own id is ours and stays."""
    told: dict[str, AttributeValue] = {}
    if (named := record.conversation_id) is not None:
        is_ours = _OUR_ID.fullmatch(named) is not None
        session = named if is_ours else pseudonyms.of(named, tenant_id=record.tenant_id)
        if session is not None:
            told[genai.SESSION_ID] = told[genai.CONVERSATION_ID] = session
            told[genai.LANGSMITH_THREAD] = session
    if record.user_id is not None:
        user = pseudonyms.of(record.user_id, tenant_id=record.tenant_id)
        if user is not None:
            told[genai.USER_ID] = user
    return told
