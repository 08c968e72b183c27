"""`python -m workers.local_model`: the local model as a process."""

from __future__ import annotations

import signal
import sys
from typing import Final

from shared.errors import SettingsError
from shared.niceness import give_way
from shared.settings import load_settings
from workers.local_model.server import ModelNotStarted, ModelServer
from workers.local_model.weights import find_weights

_UNUSABLE_SETTINGS: Final = 78  # EX_CONFIG
_NICENESS: Final = 5
"""It takes every processor it gets: the door and the workers beside it go first."""
_ENDINGS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def main() -> int:
    """Answer until told to end; 78 when the settings cannot be used, 1 when it cannot start."""
    # Before any thread of the model exists, so that the signal reaches only the wait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        settings = load_settings().local_model
        weights = find_weights(settings)
    except SettingsError as error:
        print("\n".join(error.findings), file=sys.stderr)  # noqa: T201
        return _UNUSABLE_SETTINGS
    give_way(_NICENESS)
    try:
        server = ModelServer(weights, settings)
    except ModelNotStarted as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return 1
    print(f"The local model {server.model} listens on {server.url}", flush=True)  # noqa: T201
    signal.sigwait(_ENDINGS)
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
