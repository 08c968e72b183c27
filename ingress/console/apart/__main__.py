"""`python -m ingress.console.apart` works for those who look, until the door is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import Final

import uvloop

from ingress.console.apart.control import hear_settings
from ingress.console.apart.handed_over import HandedOver
from shared.niceness import give_way
from shared.telemetry.logs import configure_logs

_NICENESS: Final = 5
"""A third of what a door has of a busy core: people are to see something then as well."""


def main() -> int:
    """Its input is the socket on which the door tells it what to do."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Whoever ends both at once, such as systemd, ends the door: it is not done with us yet.
        signal.signal(number, signal.SIG_IGN)
    give_way(_NICENESS)
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as control:
        try:
            settings = hear_settings(control)
        except EOFError:
            return 0
        configure_logs(settings.telemetry)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(HandedOver(settings, control).serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
