#!/usr/bin/env bash
# `MatchValue(True)` of Qdrant's engine for Python, whose stub takes a text, a whole number or a truth,
# becomes the number 1: it does not find the points whose field is true, with a bool index or without, and
# says nothing. Among many points it is slow as well, for no index of truths can answer for a number. What
# helps: keep a field where it is true, leave it out elsewhere, and ask `must_not=[IsEmptyCondition(field)]`.
#
# Seen with qdrant-edge-py 0.9.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qdrant-edge-py==0.9.0
cat > "$folder/truth.py" <<'PY'
"""Which of three points `MatchValue(True)` finds: one with true, one with false, one with 1."""
import importlib.metadata
import sys

import qdrant_edge as edge

vectors = {"v": edge.EdgeVectorParams(2, edge.Distance.Cosine)}
shard = edge.EdgeShard.create(sys.argv[1], edge.EdgeConfig(vectors=vectors))
kept = {1: True, 2: False, 3: 1}
points = [edge.Point(number, {"v": [1.0, 0.0]}, {"is_new": kept[number]}) for number in kept]
shard.update(edge.UpdateOperation.upsert_points(points))


def found():
    match = edge.FieldCondition("is_new", match=edge.MatchValue(True))
    request = edge.ScrollRequest(filter=edge.Filter(must=[match]))
    return [kept[point.id] for point in shard.scroll(request)[0]]


without = found()
shard.update(edge.UpdateOperation.create_field_index("is_new", edge.BoolIndexParams()))
behind = found()
shard.close()
print("qdrant-edge-py", importlib.metadata.version("qdrant-edge-py"))
print("expected: MatchValue(True) finds the point with true")
print("seen, without an index:", without)
print("seen, with a bool index:", behind)
print("MatchValue(True).value is", repr(edge.MatchValue(True).value))
as_described = without == behind == [1] and without[0] is not True
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
mkdir "$folder/shard"
timeout 60 "$folder/venv/bin/python" "$folder/truth.py" "$folder/shard"
