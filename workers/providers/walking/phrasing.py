"""How the prompt of a turn is put to one provider: as it came, shortened, with a complaint."""

from __future__ import annotations

from dataclasses import replace

from shared.messages.input_item import Role
from workers.providers.provider import Message, Prompt
from workers.providers.walking.link import Shorten


class Shortening:
    """The shorter prompt of a turn: made once, when a provider first finds the whole too long."""

    def __init__(self, prompt: Prompt, shorten: Shorten | None) -> None:
        self._prompt = prompt
        self._shorten = shorten
        self._shortened: Prompt | None = None

    async def prompt(self) -> Prompt | None:
        """None when there is nobody to shorten it, or nothing that could go."""
        if self._shorten is not None:
            shorten, self._shorten = self._shorten, None
            self._shortened = await shorten(self._prompt)
        return self._shortened


class Phrasing:
    """What one provider is asked. Each change is made at most once, and they add up."""

    def __init__(self, prompt: Prompt, shortening: Shortening) -> None:
        self.prompt = prompt
        self._shortening = shortening
        self._is_shortened = False
        self._complaint: str | None = None

    async def shorten(self) -> bool:
        """Ask with less from now on; False when there is no shorter prompt."""
        shortened = None if self._is_shortened else await self._shortening.prompt()
        if shortened is None:
            return False
        self._is_shortened = True
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
    """The prompt with the complaint as an instruction at its end.

    The rejected answer is not repeated: not every provider takes a prompt that ends with one.
    """
    if complaint is None:
        return prompt
    instruction = Message(role=Role.SYSTEM, content=complaint)
    return replace(prompt, messages=(*prompt.messages, instruction))
