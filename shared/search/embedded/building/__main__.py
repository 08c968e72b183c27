"""`python -m shared.search.embedded.building GENERATION SHARD JOURNAL START`: builds one shard.

Afterwards it repeats what the owner wrote meanwhile, from START on, and prints how far it came.
It ends with its owner, and leaves other work nearly all of the processor.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Final

from shared.niceness import give_way
from shared.search.embedded.building.copying import sync_all
from shared.search.embedded.building.journal import calls_behind
from shared.search.embedded.engine_shard import EngineShard
from shared.search.embedded.places import GenerationPlace

SMALL_BYTES: Final = 2**20
"""So much of the journal is left to the owner."""
_NICENESS: Final = 19
_PR_SET_PDEATHSIG: Final = 1


def _end_with(owner: int) -> None:
    """By the kernel, for the engine holds the interpreter for minutes; where there is none such, an
    orphan builds on to no avail: the next owner has taken its folder away."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != owner:
        sys.exit(1)


def main(arguments: list[str]) -> int:
    folder, shard, journal = map(Path, arguments[:3])
    position, owner = map(int, arguments[3:])
    _end_with(owner)
    give_way(_NICENESS)
    os.umask(0o077)
    generation = GenerationPlace(folder.parent, folder.name).generation
    built = EngineShard.open(generation, shard)
    built.build()
    is_far = True
    while is_far:
        began = position
        for call, position in calls_behind(journal, began):  # noqa: B007 - where it ended
            built.write(call)
        is_far = position - began > SMALL_BYTES
    built.flush()
    built.close()
    sync_all(shard)
    sys.stdout.write(f"{position}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
