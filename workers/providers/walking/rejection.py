"""An answer that the judge rejected, and the prompt by which its provider is asked again."""

from __future__ import annotations

from dataclasses import replace

from shared.messages.input_item import Role
from workers.providers.provider import Message, Prompt
from workers.providers.walking.link import Judgement


class RejectedAnswer(Exception):
    """Raised once the attempt is booked; `judgement` says what is to be done."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement


def asked_again(prompt: Prompt, complaint: str) -> Prompt:
    """The prompt with the complaint as an instruction at its end.

    The rejected answer is not repeated: not every provider takes a prompt that ends with one.
    """
    return replace(
        prompt, messages=(*prompt.messages, Message(role=Role.SYSTEM, content=complaint))
    )
