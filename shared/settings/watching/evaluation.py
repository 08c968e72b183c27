"""Online judging: whose answers a judge looks at all the time, and what that may cost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from shared.settings.secret import Secret, ServerUrl
from shared.settings.units import Share

RUBRIC: Final = "The answer is correct, answers the whole question and is polite."
_MOST: Final = 1_000_000_000


class EvaluationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One worker has answers that were given judged: all suspicious ones, and some others."""

    enabled: bool = False
    """Judge at all: it costs money, and another model reads what was said."""
    judge: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    """The model that is asked."""
    rubric: Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)] = RUBRIC
    """What answers are held to."""
    daily_budget: Decimal = Decimal(1)
    """US dollars that judging the answers of one day, in UTC, may cost; its last question may pass
    it.
    """
    share: Share = 0.01
    """Of each tenant's answers, so many are drawn by chance, beside those that are suspicious."""
    most: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 20
    """And no more than that of one tenant each time."""
    every_seconds: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 3_600.0
    """How much time is looked at together."""
    tenants: tuple[str, ...] = ()
    """Names of those whose answers are judged; all if none is named."""
    url: ServerUrl | None = None
    """The door that the judge is asked through."""
    key_env: str | None = None
    """The variable that holds the API key it is asked with: questions and costs are its tenant's.
    """
    key_file: str | None = None
    """The file that holds it."""
    key: Secret | None = None
    """Filled by `with_secrets`; refused in the file."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if not 0 < self.daily_budget <= _MOST:
            yield (
                f"evaluation.daily_budget = {self.daily_budget}: is no amount. Set dollars above 0."
            )
        if not self.enabled:
            return
        for name in ("judge", "url"):
            if getattr(self, name) is None:
                yield f"evaluation.enabled = true, and evaluation.{name} is missing. Set it."
        if self.url is not None and self.url.scheme not in {"http", "https"}:
            yield f"evaluation.url = '{self.url.redacted}' is no door. Write http://HOST:PORT."
        if (self.key_env is None) == (self.key_file is None):
            yield (
                "evaluation.enabled = true needs a key to ask with. Set one of "
                "evaluation.key_env and evaluation.key_file."
            )
