"""Takes personal data and secrets out, by the patterns that no answer may leave with."""

from __future__ import annotations

from typing import Any

from shared.settings.validation import BuiltIn, ValidationSettings
from workers.validation.forbidden_patterns import ForbiddenPatterns, built_in, users_own
from workers.validation.tools.arguments import Masking
from workers.validation.verdict import Verdict, without


class Redactor:
    """All built-in patterns, e-mail addresses too, and those of the settings.

    Names of people, addresses and what else only a person recognises stay.
    """

    def __init__(self, settings: ValidationSettings) -> None:
        patterns = [*map(built_in, BuiltIn), *users_own(settings.patterns)]
        self._patterns = ForbiddenPatterns(patterns, verdict=Verdict.FIX)
        self._replacement = settings.replacement

    def text(self, said: str) -> str:
        """The text with the settings' replacement where such a span stood."""
        return without(said, self._patterns.spans(said), self._replacement)

    def arguments(self, written: str) -> str | None:
        """The same of the arguments of a call, which stay JSON; None where they would not."""
        masking = Masking(written, self._patterns.spans, self._replacement)
        return masking.text if masking.is_clean else None

    def value(self, value: Any) -> Any:
        """The same of every text in it; names of fields stay."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {name: self.value(each) for name, each in value.items()}
            case list() | tuple():
                return [self.value(each) for each in value]
        return value
