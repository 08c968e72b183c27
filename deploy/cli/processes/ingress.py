"""`forebay ingress`: starts the door."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from shared.settings import load_settings


def ingress() -> NoReturn:
    """Accept messages over HTTP and from the `intake` queue, until Ctrl-C.

    Becomes `python -m ingress`, which ends with 0 when it is told to; where it listens is in the
    settings, `ingress.host` and `ingress.port`.
    """
    load_settings()
    os.execv(sys.executable, [sys.executable, "-m", "ingress"])  # noqa: S606 - no shell is wanted
