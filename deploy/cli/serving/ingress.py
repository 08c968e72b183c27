"""`forebay ingress`: starts the door."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def ingress() -> NoReturn:
    """Accept messages over HTTP and from the `intake` queue, until Ctrl-C.

    Becomes `python -m ingress`; where it listens is in the settings, `ingress.host` and
    `ingress.port`.
    """
    os.execv(sys.executable, [sys.executable, "-m", "ingress"])  # noqa: S606 - no shell is wanted
