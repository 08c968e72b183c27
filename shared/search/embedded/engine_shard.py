"""One generation in the embedded engine: a shard in a folder of its own."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import msgspec
import qdrant_edge as engine

from shared.errors import NotFound
from shared.search.embedded.filtering import up_to
from shared.search.generation import (
    BODY,
    EF_CONSTRUCT,
    KEYWORDS,
    LINKS,
    QUANTILE,
    Generation,
)
from shared.search.label import ATTRIBUTES, READERS, PassageLabel
from shared.search.point import Change, Point, Scope
from shared.search.vector_store import StoreRefused

_SHAPE: Final = "generation.json"
_SHARD: Final = "shard"
_UNFINISHED: Final = ".unfinished"
_FULL_SCAN_KB: Final = 10_000
"""A tenant's points are scanned one by one up to here, which is exact."""


class EngineShard:
    """An open shard. Every call holds the interpreter from start to end.

    The engine's faults, all of one class, are raised as `StoreRefused`.
    """

    def __init__(self, generation: Generation, shard: engine.EdgeShard) -> None:
        self.generation = generation
        self.shard = shard

    @classmethod
    def open(cls, folder: Path, name: str) -> Self:
        shape = folder / name / _SHAPE
        if not shape.exists():
            raise NotFound(f"There is no generation {name}: create it first.", param="generation")
        generation = msgspec.json.decode(shape.read_bytes(), type=Generation)
        with engine_faults():
            return cls(generation, engine.EdgeShard.load(str(folder / name / _SHARD)))

    @classmethod
    def create(cls, folder: Path, generation: Generation) -> None:
        """Whole or not at all: a half made one has another name."""
        unfinished = folder / (generation.name + _UNFINISHED)
        shutil.rmtree(unfinished, ignore_errors=True)
        (unfinished / _SHARD).mkdir(parents=True)
        with engine_faults():
            shard = engine.EdgeShard.create(str(unfinished / _SHARD), _config(generation))
            for field, index in _indexes().items():
                shard.update(engine.UpdateOperation.create_field_index(field, index))
            shard.flush()
            shard.close()
        (unfinished / _SHAPE).write_bytes(msgspec.json.encode(generation))
        unfinished.rename(folder / generation.name)

    def upsert(self, scope: Scope, points: tuple[Point, ...]) -> None:
        by_ver: defaultdict[int, list[engine.Point]] = defaultdict(list)
        for each in points:
            named: dict[str, engine.NamedVector] = {**each.vectors()}
            point = engine.Point(each.id, named, each.payload(scope.tenant))
            by_ver[each.passage.ver].append(point)
        with engine_faults():
            for ver, written in by_ver.items():
                condition = up_to(scope, ver)
                self.shard.update(engine.UpdateOperation.upsert_points(written, condition))

    def delete(self, scope: Scope, ids: tuple[str, ...], ver: int) -> None:
        if ids:
            chosen = up_to(scope, ver, ids)
            with engine_faults():
                self.shard.update(engine.UpdateOperation.delete_points_by_filter(chosen))

    def change(self, scope: Scope, changes: tuple[Change, ...], ver: int) -> None:
        with engine_faults():
            for each in changes:
                kept = each.payload(ver)
                chosen = up_to(scope, ver, [each.id])
                self.shard.update(engine.UpdateOperation.set_payload_by_filter(chosen, kept))

    def label(self, scope: Scope, ids: tuple[str, ...], label: PassageLabel, ver: int) -> None:
        if ids:
            kept = label.payload() | {"ver": ver}
            chosen = up_to(scope, ver, ids)
            with engine_faults():
                self.shard.update(engine.UpdateOperation.set_payload_by_filter(chosen, kept))

    def flush(self) -> None:
        with engine_faults():
            self.shard.flush()

    def close(self) -> None:
        with engine_faults():
            self.shard.close()


def names_of(folder: Path) -> tuple[str, ...]:
    """Of the whole generations in the folder."""
    whole = (each.parent.name for each in folder.glob(f"*/{_SHAPE}"))
    return tuple(sorted(name for name in whole if not name.endswith(_UNFINISHED)))


def discard(folder: Path, name: str) -> None:
    """Its shard must be closed. Half discarded looks half made, and is taken by the next one."""
    if (folder / name).exists():
        unfinished = folder / (name + _UNFINISHED)
        shutil.rmtree(unfinished, ignore_errors=True)
        (folder / name).rename(unfinished)
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def engine_faults() -> Iterator[None]:
    """The engine raises `Exception` itself, whatever is wrong."""
    try:
        yield
    except Exception as error:
        raise StoreRefused(f"The embedded engine refused: {error}") from error


def _config(generation: Generation) -> engine.EdgeConfig:
    pinned = engine.ScalarQuantizationConfig(
        engine.ScalarType.Int8, quantile=QUANTILE, memory=engine.Memory.Pinned
    )
    return engine.EdgeConfig(
        vectors={
            name: engine.EdgeVectorParams(size, engine.Distance.Cosine)
            for name, size in generation.dimensions().items()
        },
        hnsw_config=engine.HnswIndexConfig(LINKS, EF_CONSTRUCT, _FULL_SCAN_KB),
        quantization_config=pinned,
        wal_enabled=True,
    )


def _indexes() -> dict[str, engine.PayloadSchemaParams]:
    """Made before the first point. Links in the graph are for tenants alone: with them for words,
    building 100,000 points took four times as long and found the same."""
    words = engine.TextIndexParams(
        tokenizer=engine.TokenizerType.Code,
        lowercase=True,
        ascii_folding=True,
        phrase_matching=True,
        scoring=True,
        enable_hnsw=False,
    )
    indexes: dict[str, engine.PayloadSchemaParams] = {
        "tenant": engine.KeywordIndexParams(is_tenant=True),
        "ver": engine.IntegerIndexParams(lookup=True, range=True, enable_hnsw=False),
        BODY: words,
    }
    for field in (*KEYWORDS, READERS, ATTRIBUTES):
        indexes[field] = engine.KeywordIndexParams(enable_hnsw=False)
    return indexes
