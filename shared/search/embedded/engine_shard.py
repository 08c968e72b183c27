"""A shard of the embedded engine: one generation's points, as they are or as they are built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, assert_never

import qdrant_edge as engine

from shared.search.embedded import calls
from shared.search.embedded.engine_config import config_of, indexes
from shared.search.embedded.filtering import FIRST, filter_of_first, up_to
from shared.search.generation import Generation
from shared.search.query import Where
from shared.search.vector_store import StoreRefused


class EngineShard:
    """An open shard. Every call holds the interpreter from start to end.

    The engine's faults, all of one class, are raised as `StoreRefused`.
    """

    def __init__(self, generation: Generation, shard: engine.EdgeShard) -> None:
        self.generation = generation
        self.shard = shard
        is_marked = FIRST in shard.info().payload_schema
        self.first_tenant = _first_tenant(shard) if is_marked else None
        """Who wrote into it when it was empty: all its points have the mark, and nobody else's.

        `None` of an empty shard, of one whose first tenant has left, and of one that is older than
        the mark.
        """
        self._awaits_first = is_marked and shard.count(engine.CountRequest(exact=True)) == 0

    @classmethod
    def open(cls, generation: Generation, folder: Path) -> Self:
        with engine_faults():
            return cls(generation, engine.EdgeShard.load(str(folder), config_of(generation)))

    @classmethod
    def create(cls, generation: Generation, folder: Path) -> None:
        with engine_faults():
            shard = engine.EdgeShard.create(str(folder), config_of(generation))
            for field, index in indexes().items():
                shard.update(engine.UpdateOperation.create_field_index(field, index))
            shard.flush()
            shard.close()

    def write(self, call: calls.WriteCall) -> None:
        """The same calls in the same order make the same of the same shard."""
        with engine_faults():
            match call:
                case calls.UpsertCall():
                    self._upsert(call)
                case calls.DeleteCall():
                    self._delete(call)
                case calls.ChangeCall():
                    self._change(call)
                case calls.LabelCall():
                    self._label(call)
                case _:
                    assert_never(call)

    def build(self) -> None:
        """The graph of all points, in seconds to hours."""
        with engine_faults():
            self.shard.optimize()

    def flush(self) -> None:
        with engine_faults():
            self.shard.flush()

    def close(self) -> None:
        with engine_faults():
            self.shard.close()

    def _upsert(self, call: calls.UpsertCall) -> None:
        if self._awaits_first:
            self._awaits_first, self.first_tenant = False, call.scope.tenant
        mark = {FIRST: True} if call.scope.tenant == self.first_tenant else {}
        by_ver: defaultdict[int, list[engine.Point]] = defaultdict(list)
        for each in call.points:
            named: dict[str, engine.NamedVector] = {**each.vectors()}
            point = engine.Point(each.id, named, each.payload(call.scope.tenant) | mark)
            by_ver[each.passage.ver].append(point)
        for ver, written in by_ver.items():
            condition = up_to(call.scope, ver)
            self.shard.update(engine.UpdateOperation.upsert_points(written, condition))

    def _delete(self, call: calls.DeleteCall) -> None:
        if call.ids:
            chosen = up_to(call.scope, call.ver, call.ids)
            self.shard.update(engine.UpdateOperation.delete_points_by_filter(chosen))

    def _change(self, call: calls.ChangeCall) -> None:
        for each in call.changes:
            kept = each.payload(call.ver)
            chosen = up_to(call.scope, call.ver, [each.id])
            self.shard.update(engine.UpdateOperation.set_payload_by_filter(chosen, kept))

    def _label(self, call: calls.LabelCall) -> None:
        if call.ids:
            kept = call.label.payload() | {"ver": call.ver}
            chosen = up_to(call.scope, call.ver, call.ids)
            self.shard.update(engine.UpdateOperation.set_payload_by_filter(chosen, kept))


def _first_tenant(shard: engine.EdgeShard) -> str | None:
    chosen = filter_of_first(Where())
    one = engine.ScrollRequest(limit=1, filter=chosen, with_payload=True, with_vector=False)
    for each in shard.scroll(one)[0]:
        return str((each.payload or {})["tenant"])
    return None


@contextmanager
def engine_faults() -> Iterator[None]:
    """The engine raises `Exception` itself, whatever is wrong."""
    try:
        yield
    except Exception as error:
        raise StoreRefused(f"The embedded engine refused: {error}") from error
