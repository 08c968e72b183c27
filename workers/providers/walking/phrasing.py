"""How the prompt of a turn is put to one provider: as it came, shortened, with a complaint."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from workers.providers.provider import Prompt
from workers.providers.walking.link import Shorten

_USUAL_SHARE: Final = 0.6
"""Of what was too long, where the provider does not say how much it has room for."""
_MOST_FITTINGS: Final = 2
"""To figures: what we count is not quite what the provider counts."""


class Shortening:
    """The shorter prompts of a turn, each made once, when a provider first needs it."""

    def __init__(self, prompt: Prompt, shorten: Shorten | None) -> None:
        self._prompt = prompt
        self._shorten = shorten
        self._shortened: dict[float, Prompt | None] = {}

    async def prompt(self, share: float) -> Prompt | None:
        """With that share of the whole; None where nobody shortens it, or so much cannot go."""
        if self._shorten is not None and share not in self._shortened:
            self._shortened[share] = await self._shorten(self._prompt, share)
        return self._shortened.get(share)


class Phrasing:
    """What one provider is asked: shortened, with a complaint, or both."""

    def __init__(self, prompt: Prompt, shortening: Shortening) -> None:
        self.prompt = prompt
        self._shortening = shortening
        self._share = 1.0
        self._fittings = 0
        self._complaint: str | None = None

    async def shorten(self, room: float | None) -> bool:
        """Ask with less from now on; False when there is no shorter prompt.

        `room` is the share of the last prompt that the provider says it has room for. Where it
        does not say, the prompt is shortened once.
        """
        if self._fittings >= (1 if room is None else _MOST_FITTINGS):
            return False
        self._share *= _USUAL_SHARE if room is None else room
        self._fittings += 1
        shortened = await self._shortening.prompt(self._share)
        if shortened is None:
            return False
        self.prompt = _with_complaint(shortened, self._complaint)
        return True

    def complain(self, complaint: str | None) -> bool:
        """Ask with the judge's complaint from now on; False when there is none, or was one."""
        if complaint is None or self._complaint is not None:
            return False
        self._complaint = complaint
        self.prompt = _with_complaint(self.prompt, complaint)
        return True


def _with_complaint(prompt: Prompt, complaint: str | None) -> Prompt:
    """The prompt with the complaint as the last note.

    The rejected answer is not repeated: not every provider takes a prompt that ends with one.
    """
    return prompt if complaint is None else replace(prompt, notes=(*prompt.notes, complaint))
