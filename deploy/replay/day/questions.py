"""What a recorded message asked, as the cache would see it: by the cache's own rule and key."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from shared.errors import InvalidRequest
from shared.messages.body import Body
from shared.messages.record import MessageRecord
from shared.messages.stored_body import decode_body
from shared.settings import Settings
from workers.caching.cache_key import cache_key
from workers.caching.cacheable import CacheableRule, PersonalPatterns, stand_ins
from workers.turn import Turn

_KEY_BYTES = 16


class Questions:
    """A message that continues a conversation has no key here: what was recalled for it is not
    kept with it."""

    def __init__(self, settings: Settings) -> None:
        caching = msgspec.structs.replace(settings.caching, exact=True, tenants=())
        self._stand_ins = frozenset(stand_ins(settings.providers))
        self._rule = CacheableRule(
            caching, stand_ins=self._stand_ins, is_refusal=lambda _text: False
        )
        self._personal = PersonalPatterns(caching.personal_patterns)
        self._largest = caching.largest_answer_bytes

    def body_of(self, record: MessageRecord) -> Body | None:
        """None of one that was erased, or that this version cannot read."""
        try:
            return decode_body(record.body.encode())
        except msgspec.DecodeError:
            return None

    def key_of(self, record: MessageRecord, body: Body) -> str | None:
        """Equal for questions that one answer would do for; None where nothing may be stored."""
        from shared.answer_cache.cache_control import ANYTHING, read_cache_control

        if record.conversation_id is not None or record.previous_id is not None:
            return None
        turn = Turn(record, body, items=list(body.input))
        try:
            control = read_cache_control(body.cache_control) if body.cache_control else ANYTHING
            if control.no_cache or self._rule.why_not_message(turn, control) is not None:
                return None
        except InvalidRequest:
            return None
        place = cache_key(turn, chain="").place
        told = f"{place.digest}{body.instructions or ''}"
        return blake2b(told.encode(), digest_size=_KEY_BYTES).hexdigest()

    def may_be_kept(self, record: MessageRecord) -> bool:
        """Whether the cache would have kept its answer."""
        text = record.output_text or ""
        return (
            record.answered_by is not None
            and record.answered_by not in self._stand_ins
            and record.output_items is None
            and bool(text.strip())
            and len(text.encode()) <= self._largest
            and not self._personal.identify(text)
        )
