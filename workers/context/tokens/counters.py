"""Which counter counts for which model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from shared.settings.turn.context import TokenizerSettings
from shared.token_count import estimated_tokens
from workers.context.remembering import Remembering
from workers.context.tokens.counter import TokenCounter
from workers.context.tokens.tokenizer_file import TokenizerFile


class RememberedCounts:
    """A counter that counts no text twice while it remembers it."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._counts = Remembering(count)

    def count(self, text: str) -> int:
        return self._counts(text)


class Counters:
    """Opens every configured tokenizer once; a model without one is estimated.

    The first pattern that fits a model's name counts. Raises SettingsError for a bad file.
    """

    def __init__(self, settings: Sequence[TokenizerSettings]) -> None:
        opened = {each.file: TokenizerFile(Path(each.file)) for each in settings}
        counters = {file: RememberedCounts(counter.count) for file, counter in opened.items()}
        self._by_pattern = [(each.model, counters[each.file]) for each in settings]
        self._estimate = RememberedCounts(estimated_tokens)

    def of(self, model: str) -> TokenCounter:
        """The counter for the model as its provider names it."""
        for pattern, counter in self._by_pattern:
            if fnmatchcase(model, pattern):
                return counter
        return self._estimate
