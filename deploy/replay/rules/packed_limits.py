"""The numbers of a plan as the script takes them, unpacked once."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from deploy.replay.rules.user_record import COUNTED


@dataclass(frozen=True, slots=True)
class PackedLimits:
    """ARGV 1 of admission.lua, unpacked."""

    buckets: tuple[float, ...]
    slots: float
    half_life: float
    largest_risk: float
    weights: tuple[tuple[float, float, float], ...]

    def risk(self, counts: list[float] | None) -> float:
        if counts is None:
            return 0.0
        trust = 1.0
        for (largest, half, free), count in zip(self.weights, counts, strict=True):
            excess = max(0.0, count - free)
            trust *= 1 - largest * excess / (excess + half)
        return min(1 - trust, self.largest_risk)


@lru_cache(maxsize=4096)
def unpacked(packed: bytes) -> PackedLimits:
    numbers = struct.unpack(f"<{len(packed) // 8}d", packed)
    slots, half_life, largest_risk, *rest = numbers[8:]
    weights = tuple((rest[i], rest[i + 1], rest[i + 2]) for i in range(0, 3 * COUNTED, 3))
    return PackedLimits(numbers[:8], slots, half_life, largest_risk, weights)
