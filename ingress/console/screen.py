"""What a screen brings to the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation


class ConsoleScreen(Protocol):
    """One screen, or a few that belong together."""

    def operations(self) -> Sequence[ConsoleOperation]:
        """What its page asks and does, with the role that each takes."""
        ...

    def topics(self) -> Sequence[Topic]:
        """What its page is told of when it changes."""
        ...
