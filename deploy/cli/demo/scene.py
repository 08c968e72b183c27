"""What a scene is and how it says what happened."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from deploy.cli.demo.dollars import NOTHING
from shared.errors import ForebayError

if TYPE_CHECKING:
    from deploy.cli.demo.stage import Stage


class SceneFailed(ForebayError):
    """What was to be shown did not happen; the message says what did."""

    code = "scene_failed"


@dataclass(frozen=True, slots=True)
class Told:
    """One or two readable lines, and the figures behind them.

    `saved` is what the same scene would have cost more without what it shows, in US dollars,
    reckoned from the costs on its responses. What it did cost is read from the ledger by whoever
    plays it.
    """

    sentence: str
    figures: dict[str, object] = field(default_factory=dict)
    saved: Decimal = NOTHING


Scene = Callable[["Stage"], Awaitable[Told]]


def name_of(scene: Scene) -> str:
    """As it is shown, and as it is asked for."""
    return getattr(scene, "__name__", "scene")


def about(scene: Scene) -> str:
    """What it shows, as its own module says at its head."""
    return inspect.getdoc(inspect.getmodule(scene)) or ""


def expect(holds: object, otherwise: str) -> None:
    """Raise SceneFailed unless it holds."""
    if not holds:
        raise SceneFailed(otherwise)
