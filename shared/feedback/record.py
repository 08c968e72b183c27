"""Feedback as it is kept, and what it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.feedback.verdict import FeedbackScale
from shared.identifiers import OUTPUT_MESSAGE, RESPONSE, sibling_id
from shared.surfaces.chat.completion import COMPLETION_ID

_OTHER_NAMES: Final = re.compile(rf"(?:{COMPLETION_ID}-|{OUTPUT_MESSAGE}_)([0-9a-f]{{32}})")


class EarlierVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the same source said before, under the same name."""

    at: datetime
    original: bool | int | float | str
    value: float | None = None
    scale: FeedbackScale | None = None


class FeedbackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict on one answer. `value` is 0 to 1, `original` what was sent on `scale`."""

    id: str
    response_id: str
    tenant_id: str
    name: str
    source: str
    value: float | None
    is_negative: bool
    label: str | None
    original: bool | int | float | str
    scale: FeedbackScale | None
    comment: str | None
    entry: str | None
    """The stored answer that it is about, where it is."""
    earlier: tuple[EarlierVerdict, ...]
    """The newest first; the last twenty are kept."""
    changes: int
    created_at: datetime
    at: datetime
    """When it was given as it stands now."""


_JSON: Final = {
    "original": bool | int | float | str,
    "scale": FeedbackScale,
    "earlier": tuple[EarlierVerdict, ...],
}


def record_of_row(row: Mapping[str, Any]) -> FeedbackRecord:
    """A row of the table."""
    values = dict(row)
    for name, kind in _JSON.items():
        if values[name] is not None:
            values[name] = msgspec.json.decode(values[name], type=kind)
    return FeedbackRecord(at=values.pop("given_at"), **values)


def response_id_of(name: str) -> str:
    """The response behind a name that its answer has on some surface; else the name itself."""
    found = _OTHER_NAMES.fullmatch(name)
    return sibling_id(RESPONSE, f"_{found[1]}") if found else name
