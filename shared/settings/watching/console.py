"""The console: how long somebody stays logged in, and which process works for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

SessionSeconds = Annotated[float, msgspec.Meta(ge=1, le=31_536_000)]


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of what a door serves at /console; `ingress.console` says whether it does."""

    idle_seconds: SessionSeconds = 3_600.0
    """A session ends so long after it was last used."""
    longest_seconds: SessionSeconds = 43_200.0
    """And so long after it began, however much it is used."""
    own_process: bool = True
    """Whether another process works for who looks, from the first one on, so that messages do not
    wait for it; otherwise the door does, which takes less memory.
    """

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if self.idle_seconds > self.longest_seconds:
            yield (
                f"console.idle_seconds = {self.idle_seconds:g} is more than "
                f"console.longest_seconds = {self.longest_seconds:g}, and would never end a "
                "session. Lower the first."
            )
