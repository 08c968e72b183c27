"""What tools gave back: text of somebody else's, which may try to give orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import re2

from shared.messages.item import FunctionCallOutput, Item
from shared.secrets_in_text import PlainText

_READ: Final = 100_000
"""Characters of either end: an order to the model stands where it is read."""
_ORDERS: Final = (
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|earlier|above|preceding"
    r"|system|original|foregoing|all your|your)\b.{0,40}"
    r"\b(?:instruction|direction|prompt|rule|guideline|order|message|polic)",
    r"\b(?:do not|don[’']?t|never) (?:tell|inform|alert|mention (?:this|it) to) the user\b",
    r"\b(?:reveal|print|repeat|output|show|send|disclose|leak)\b.{0,30}"
    r"\b(?:system|developer|hidden|initial) (?:prompt|message|instruction)",
    r"\byou are now\b.{0,60}\b(?:mode|assistant|unrestricted|jailbroken|no longer)\b",
    r"\bnew (?:system )?instructions?(?: from the (?:system|developer|admin\w*))?\s*:",
    r"<\|(?:im_start|im_end|system|start_header_id|eot_id)\|>|\[/?INST\]|<</?SYS>>",
)
_ORDER: Final = re2.compile("(?is)" + "|".join(_ORDERS))


def give_orders(items: Sequence[Item]) -> bool:
    """Whether an output that the model has not answered yet speaks to it as if it might.

    In English, and by the marks of chat templates; each output is looked at once in a
    conversation, in the turn that it is new to.
    """
    for item in reversed(items):
        if not isinstance(item, FunctionCallOutput):
            return False
        if gives_orders(item.text()):
            return True
    return False


def gives_orders(text: str) -> bool:
    """Whether a text of somebody else's speaks to the model as if it might."""
    if len(text) > 2 * _READ:
        text = f"{text[:_READ]}\n{text[-_READ:]}"
    return bool(_ORDER.search(PlainText(text).text))
