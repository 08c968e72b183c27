#!/usr/bin/env bash
# qdrant-edge runs Qdrant's engine inside a Python process. Its calls are native code, but they keep
# Python's interpreter lock from beginning to end, `optimize()` among them, which builds the search graph
# for seconds to minutes. So no other thread of the process runs meanwhile: a heartbeat, a lease or a
# server beside it stands still, and `asyncio.to_thread(shard.optimize)` does not help.
#
# Seen with qdrant-edge-py 0.9.0 on CPython 3.11.7. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qdrant-edge-py==0.9.0
cat > "$folder/silence.py" <<'PY'
"""A thread ticks every 5 ms while another builds a graph; prints the longest time between two ticks."""
import importlib.metadata
import random
import sys
import threading
import time

import qdrant_edge as edge

SIZE, POINTS, AT_ONCE = 32, 6000, 1000
random.seed(7)
shard = edge.EdgeShard.create(
    sys.argv[1],
    edge.EdgeConfig(
        vectors={"v": edge.EdgeVectorParams(SIZE, edge.Distance.Cosine)},
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1),
    ),
)
for first in range(1, POINTS, AT_ONCE):
    points = [
        edge.Point(first + each, {"v": [random.random() for _ in range(SIZE)]}, {})
        for each in range(AT_ONCE)
    ]
    shard.update(edge.UpdateOperation.upsert_points(points))
ticks, is_over = [], threading.Event()


def tick():
    while not is_over.wait(0.005):
        ticks.append(time.monotonic())


def longest(begin, end):
    within = [begin, *(each for each in ticks if begin < each < end), end]
    return max(after - before for before, after in zip(within, within[1:]))


ticking = threading.Thread(target=tick)
ticking.start()
begin = time.monotonic()
sum(each * each for each in range(3_000_000))  # Python itself shares the interpreter
python_silence, python_seconds = longest(begin, time.monotonic()), time.monotonic() - begin
begin = time.monotonic()
shard.optimize()
end = time.monotonic()
is_over.set()
ticking.join()
silence = longest(begin, end)
shard.close()
print("qdrant-edge-py", importlib.metadata.version("qdrant-edge-py"), "on CPython", sys.version.split()[0])
print(f"beside it: {python_seconds:.2f} s of Python's own, longest silence {python_silence:.2f} s")
print("expected: other threads run while the engine builds")
print(f"seen: optimize() of {POINTS} points took {end - begin:.2f} s, longest silence {silence:.2f} s")
as_described = silence > 0.9 * (end - begin) > 0.2
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
mkdir "$folder/shard"
timeout 120 "$folder/venv/bin/python" "$folder/silence.py" "$folder/shard"
