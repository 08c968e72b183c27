"""`forebay model`: starts the local model."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from shared.settings import load_settings
from workers.local_model.weights import find_weights


def model() -> NoReturn:
    """Answer for `local` providers with a small model on this machine, until Ctrl-C.

    Becomes `python -m workers.local_model`; which model and where it listens is in the settings,
    under `local_model`. `forebay up` starts one by itself.
    """
    find_weights(load_settings().local_model)
    command = [sys.executable, "-m", "workers.local_model"]
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
