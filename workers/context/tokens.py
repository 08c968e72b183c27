"""How many tokens a text has, by a model's own tokenizer or by an estimate; counted once a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from shared.embeddings.extra import tokenizers_missing
from shared.errors import SettingsError
from shared.settings.turn.context import TokenizerSettings
from shared.token_count import estimated_tokens

Found = TypeVar("Found")

_TEXTS: Final = 16_384


class TokenCounter(Protocol):
    """Counts tokens; the same text always has the same number."""

    def count(self, text: str) -> int:
        """The tokens of `text`, 0 for none; never raises."""
        ...


class Remembering(Generic[Found]):
    """Calls `look` once for each text of a conversation; the oldest findings go first.

    A text is known by its hash alone, which has 64 bits and a secret of the process in it, so that
    no conversation stays in memory.
    """

    def __init__(self, look: Callable[[str], Found], *, texts: int = _TEXTS) -> None:
        self._look = look
        self._texts = texts
        self._found: dict[int, Found] = {}

    def __call__(self, text: str) -> Found:
        found = self._found.get(hash(text))
        return self._keep(text) if found is None else found

    def of(self, texts: Sequence[str]) -> list[Found]:
        """What was found out about each of the texts."""
        known = self._found.get
        return [
            self._keep(text) if (found := known(hash(text))) is None else found for text in texts
        ]

    def _keep(self, text: str) -> Found:
        found = self._look(text)
        if len(self._found) >= self._texts:
            del self._found[next(iter(self._found))]
        self._found[hash(text)] = found
        return found


class RememberedCounts:
    """A counter that counts no text twice while it remembers it."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._counts = Remembering(count)

    def count(self, text: str) -> int:
        return self._counts(text)


class TokenizerFile:
    """Counts with the tokenizer in `path`, without the marks it puts around a text.

    Nothing is downloaded. Raises SettingsError where the file is missing or is no tokenizer, or
    the extra `embeddings` is not installed.
    """

    def __init__(self, path: Path) -> None:
        if reason := tokenizers_missing():
            raise SettingsError([reason])
        # Imported here: who has no tokenizer does not wait for the library.
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            raise SettingsError(
                [
                    f"context.tokenizers: '{path}' is no tokenizer ({error}). "
                    "Name the tokenizer.json of the model."
                ]
            ) from None
        # The file may cut long texts off, which is meant for encoders.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, text: str) -> int:
        # A lone surrogate has no place in UTF-8, which the library reads.
        readable = text.encode("utf-8", "replace").decode()
        return len(self._tokenizer.encode(readable, add_special_tokens=False).ids)


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
