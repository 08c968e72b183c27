"""A verdict as it is given: yes or no, a number on a scale, or a label; kept as 0 to 1."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Final

import msgspec

from shared.decoding import Json, decode_json
from shared.errors import InvalidRequest
from shared.storable_text import is_storable

LONGEST_COMMENT: Final = 2_000
WRONG_STORED_ANSWER: Final = "wrong_stored_answer"
"""The name of a report of a stored answer that was given for another question than its own."""
ABUSE: Final = "abuse"
"""The name of a complaint about the user: it is the question that was bad, and not the answer."""
FAULTS: Final = frozenset({WRONG_STORED_ANSWER, ABUSE, "hallucination"})
"""Names of what is bad when it is true; under every other name more is better."""
JUDGE: Final = "judge"
OF_JUDGES: Final = f"{JUDGE}:"
"""A source that is called so, or begins so, is no person."""
_MIDDLE: Final = 0.5
_LABELS: Final = {
    **dict.fromkeys(("good", "positive", "correct", "yes", "thumbs_up", "pass"), 1.0),
    **dict.fromkeys(("neutral", "mixed", "partial"), _MIDDLE),
    **dict.fromkeys(("bad", "negative", "wrong", "no", "thumbs_down", "fail"), 0.0),
}
_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]


class FeedbackScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a number is on: the worst there is, and the best."""

    min: float = 0.0
    max: float = 1.0


class GivenFeedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of a POST."""

    name: _Name
    value: bool | int | float | str
    comment: Annotated[str, msgspec.Meta(max_length=LONGEST_COMMENT)] | None = None
    source: _Name = "user"
    scale: FeedbackScale | None = None


class FeedbackVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of it. `value` is 0 to 1, and None for a label that says neither."""

    name: str
    source: str
    original: bool | int | float | str
    value: float | None
    scale: FeedbackScale | None = None
    label: str | None = None
    comment: str | None = None
    entry: str | None = None

    @property
    def is_negative(self) -> bool:
        """Whether it speaks against the answer, or for a fault."""
        if self.value is None:
            return False
        return self.value >= _MIDDLE if self.name in FAULTS else self.value < _MIDDLE


_decoder: Final = msgspec.json.Decoder(GivenFeedback)


def read_verdict(raw: Json) -> FeedbackVerdict:
    """The verdict in a body; raises InvalidRequest, which names the field and the fix."""
    return verdict_of(decode_json(_decoder, raw))


def verdict_of(given: GivenFeedback, *, entry: str | None = None) -> FeedbackVerdict:
    """The same of a body that was decoded; `entry` is the stored answer that it is about."""
    value, label, scale = _on_scale(given)
    if given.comment is not None and not is_storable(given.comment):
        raise InvalidRequest(
            "'comment' holds a NUL character or is not valid UTF-8. Write it without.",
            param="comment",
        )
    return FeedbackVerdict(
        name=given.name,
        source=given.source,
        original=given.value,
        value=value,
        scale=scale,
        label=label,
        comment=given.comment or None,
        entry=entry,
    )


def is_of_person(source: str) -> bool:
    """Whether somebody said it, and no model."""
    return source != JUDGE and not source.startswith(OF_JUDGES)


def _on_scale(given: GivenFeedback) -> tuple[float | None, str | None, FeedbackScale | None]:
    value = given.value
    if isinstance(value, bool | str) and given.scale is not None:
        raise InvalidRequest(
            "'scale' is of numbers alone. Leave it out, or send a number as 'value'.", param="scale"
        )
    if isinstance(value, bool):
        return float(value), None, None
    if isinstance(value, str):
        return _LABELS.get(_label(value)), _label(value), None
    return _number(value, given.scale), None, given.scale or FeedbackScale()


def _label(value: str) -> str:
    try:
        return msgspec.convert(value, _Name)
    except msgspec.ValidationError:
        raise InvalidRequest(
            "'value' is no label: 1 to 64 letters, digits, '_', '.', ':' or '-', such as good. "
            "Put sentences into 'comment'.",
            param="value",
        ) from None


def _number(value: float, scale: FeedbackScale | None) -> float:
    worst, best = (scale.min, scale.max) if scale else (0.0, 1.0)
    if not (isfinite(worst) and isfinite(best) and worst < best and isfinite(best - worst)):
        raise InvalidRequest("'scale.min' must be less than 'scale.max'.", param="scale")
    if not worst <= value <= best:
        how = "Mend it, or the scale." if scale else 'Send its scale: {"min": 1, "max": 5}.'
        raise InvalidRequest(
            f"'value' is not on its scale from {worst:g} to {best:g}. {how}", param="value"
        )
    return (value - worst) / (best - worst)
