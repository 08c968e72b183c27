"""What came of a case: as much of a response as checks look at."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256

import msgspec

from shared.messages.output import OutputCall, OutputMessage
from shared.messages.response import ResponseObject

REFUSED = "refused"
"""The state of what the door took no message for."""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What only the ledger knows of a response."""

    seconds: float | None = None
    cost: Decimal | None = None
    caught: frozenset[str] = frozenset()
    """Validators that caught a draft of it."""


class AnsweredCase(msgspec.Struct, frozen=True, kw_only=True):
    """A response, or why there is none. `sight` is None where its ledger is not at hand."""

    state: str
    error: str = ""
    refused_with: int | None = None
    """The HTTP status, where the door took no message for it."""
    response_id: str | None = None
    text: str = ""
    calls: tuple[OutputCall, ...] = ()
    cited: tuple[str, ...] = ()
    """Names of the documents that it refers to."""
    model: str | None = None
    variant: str | None = None
    """The variant of the settings under which it was answered."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    told_cost: Decimal | None = None
    """What the response says that it cost."""
    sight: Sight | None = None

    @property
    def cost(self) -> Decimal | None:
        """Of all its attempts, by the ledger where that is at hand."""
        return self.told_cost if self.sight is None else self.sight.cost

    @property
    def digest(self) -> str:
        """Of what it says and asks of tools."""
        calls = [(each.name, each.arguments) for each in self.calls]
        return sha256(msgspec.json.encode([self.text, calls])).hexdigest()


def answered_by(response: ResponseObject) -> AnsweredCase:
    """The response as checks see it."""
    messages = [each for each in response.output if isinstance(each, OutputMessage)]
    usage = response.usage or None
    return AnsweredCase(
        state=str(response.status),
        error=response.error.message if response.error else "",
        response_id=response.id,
        text="".join(part.text for each in messages for part in each.content),
        calls=tuple(each for each in response.output if isinstance(each, OutputCall)),
        cited=tuple(_cited(messages)),
        model=response.model,
        variant=response.turn.variant if response.turn else None,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        told_cost=None if response.cost is None else Decimal(response.cost.amount),
    )


def _cited(messages: list[OutputMessage]) -> Iterator[str]:
    for message in messages:
        for part in message.content:
            yield from (each.filename for each in part.annotations)
