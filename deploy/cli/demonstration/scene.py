"""What a scene is and how it says what happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.errors import ForebayError

if TYPE_CHECKING:
    from deploy.cli.demonstration.stage import Stage


class SceneFailed(ForebayError):
    """What was to be shown did not happen; the message says what did."""

    code = "scene_failed"


@dataclass(frozen=True, slots=True)
class Told:
    """One or two readable lines, and the figures behind them."""

    sentence: str
    figures: dict[str, object] = field(default_factory=dict)


Scene = Callable[["Stage"], Awaitable[Told]]


def expect(holds: object, otherwise: str) -> None:
    """Raise SceneFailed unless it holds."""
    if not holds:
        raise SceneFailed(otherwise)
