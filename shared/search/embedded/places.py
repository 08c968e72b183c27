"""The folder of a generation: what it is, which of its shards serves, and what was left over."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import NotFound
from shared.search.generation import Generation

_SHAPE: Final = "generation.json"
_SERVING: Final = "serving"
_WRITTEN: Final = "written"
_SHARD: Final = "shard-"
_UNFINISHED: Final = ".unfinished"


class GenerationPlace:
    """Whole or not there. One of its shards serves: the one that a file names."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.unfinished = folder / (name + _UNFINISHED)
        """Where it is made, and where it ends: half made and half gone look alike."""

    @property
    def generation(self) -> Generation:
        shape = self.folder / _SHAPE
        if not shape.exists():
            name = self.folder.name
            raise NotFound(f"There is no generation {name}: create it first.", param="generation")
        return msgspec.json.decode(shape.read_bytes(), type=Generation)

    @property
    def serving(self) -> Path:
        """The shard that serves."""
        return self.folder / (self.folder / _SERVING).read_text()

    def serve(self, shard: Path) -> None:
        """From here on this one serves, whatever dies; what it holds must be on the disk."""
        _write(self.folder / _SERVING, shard.name)

    def another(self) -> Path:
        """Of a shard that is to be built; the name was never used before."""
        return self.folder / f"{_SHARD}{uuid.uuid4().hex}"

    @property
    def written(self) -> int:
        """How many points were written since the graph was built, as it was kept last."""
        kept = self.folder / _WRITTEN
        return int(kept.read_text()) if kept.exists() else 0

    def keep_written(self, number: int) -> None:
        _write(self.folder / _WRITTEN, str(number))

    def begin(self, generation: Generation) -> Path:
        """Where the first shard of a new one is made; there is none before `finish`."""
        shutil.rmtree(self.unfinished, ignore_errors=True)
        shard = self.unfinished / f"{_SHARD}first"
        shard.mkdir(parents=True)
        _write(self.unfinished / _SERVING, shard.name)
        _write(self.unfinished / _SHAPE, msgspec.json.encode(generation).decode())
        return shard

    def finish(self) -> None:
        self.unfinished.rename(self.folder)

    def discard(self) -> None:
        """Its shards must be closed."""
        if self.folder.exists():
            shutil.rmtree(self.unfinished, ignore_errors=True)
            self.folder.rename(self.unfinished)
            shutil.rmtree(self.unfinished, ignore_errors=True)

    def sweep(self) -> None:
        """Takes away what builders left that died, and shards that serve no more."""
        for each in self.folder.glob(f"{_SHARD}*"):
            if each != self.serving:
                each.unlink() if each.is_file() else shutil.rmtree(each, ignore_errors=True)


def names_of(folder: Path) -> tuple[str, ...]:
    """Of the whole generations in the folder."""
    whole = (each.parent.name for each in folder.glob(f"*/{_SHAPE}"))
    return tuple(sorted(name for name in whole if not name.endswith(_UNFINISHED)))


def _write(file: Path, content: str) -> None:
    """All of it or nothing, also behind a power cut."""
    half = file.with_name(file.name + _UNFINISHED)
    with half.open("w") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    half.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in it outlive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
