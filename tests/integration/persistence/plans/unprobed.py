"""What needs no probe of its own: parts of others, and what is typed by a person."""

from __future__ import annotations

from typing import Final

from .alert_probes import ALERTS_BY_HAND, PARTS_OF_ALERTS
from .erasing_probes import PARTS_OF_ERASING
from .feedback_probes import FEEDBACK_BY_HAND
from .file_probes import PARTS_OF_FILES
from .full_index import OF_WHOLE_COLLECTIONS, PARTS_OF_THE_INDEX
from .held_probes import WHEN_TAKING_OVER
from .outcome_probes import PARTS_OF_OUTCOMES
from .rollup_probes import ROLLUPS_BY_HAND
from .schedule_probes import PARTS_OF_SCHEDULES, SCHEDULES_BY_HAND
from .view_probes import PARTS_OF_VIEWS, VIEWS_BY_HAND
from .webhook_probes import PARTS_OF_WEBHOOKS, WEBHOOKS_BY_HAND

ELSEWHERE: Final = {
    "AcceptGroup.insert": "AcceptGroup.flush",
    "AcceptGroup.outcomes": "AcceptGroup.flush",
    "ClaimGroup.has_failed": "MessageStates.of",
    "WorkerLease.extend": "ClaimGroup.renew",
    "WorkerLease.extend_in_time": "ClaimGroup.flush",
    "MessageLedger.book_late": "LateBooking.write",
    "MessageLedger.find": "FindGroup.flush",
    "MessageLedger.trace": "FindGroup.flush",
    **PARTS_OF_ERASING,
    **PARTS_OF_FILES,
    **PARTS_OF_THE_INDEX,
    **PARTS_OF_OUTCOMES,
    **PARTS_OF_SCHEDULES,
    **PARTS_OF_VIEWS,
    **PARTS_OF_WEBHOOKS,
    **PARTS_OF_ALERTS,
}
"""Methods that only hand over to another, or are a part of it."""

BY_HAND: Final = {
    "DeadLetterRepository": {"list", "show", "close_letter"},
    "HandoffRepository": {"list", "show", "answer"},
    "TenantRepository": {"create", "named", "all", "set_plan", "keep_for", "weights"}
    | {"create_key", "keys", "revoke_key", "rotate_key"},
    "Spending": {"report"},
    **OF_WHOLE_COLLECTIONS,
    **WHEN_TAKING_OVER,
    **SCHEDULES_BY_HAND,
    **VIEWS_BY_HAND,
    **FEEDBACK_BY_HAND,
    **WEBHOOKS_BY_HAND,
    **ALERTS_BY_HAND,
    **ROLLUPS_BY_HAND,
}
"""What a person types, or what one process asks once in a while."""
