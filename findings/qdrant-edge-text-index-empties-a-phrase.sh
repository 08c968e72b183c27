#!/usr/bin/env bash
# A phrase filter (`MatchPhrase`) of Qdrant's engine finds what holds the phrase, with no index at all.
# After a text index is made for that field, to make it faster, the same filter finds nothing, without an
# error: an index answers phrases only when it was made with `phrase_matching=True`, and the engine asks
# it although it cannot answer instead of reading the texts as before.
#
# Seen with qdrant-edge-py 0.9.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qdrant-edge-py==0.9.0
cat > "$folder/phrase.py" <<'PY'
"""Counts one point by a phrase that it holds: without an index, with one, with one for phrases."""
import importlib.metadata
import pathlib
import sys

import qdrant_edge as edge

TEXT = "the quick brown fox"
INDEXES = {
    "no index": None,
    "a text index": edge.TextIndexParams(tokenizer=edge.TokenizerType.Word),
    "one with phrase_matching": edge.TextIndexParams(
        tokenizer=edge.TokenizerType.Word, phrase_matching=True
    ),
}


def found(folder, index):
    """How many points hold the phrase, and how many its words."""
    folder.mkdir()
    vectors = {"v": edge.EdgeVectorParams(2, edge.Distance.Cosine)}
    shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))
    if index is not None:
        shard.update(edge.UpdateOperation.create_field_index("body", index))
    point = edge.Point(1, {"v": [1.0, 0.0]}, {"body": TEXT})
    shard.update(edge.UpdateOperation.upsert_points([point]))
    counts = []
    for match in (edge.MatchPhrase("quick brown"), edge.MatchText("quick brown")):
        chosen = edge.Filter(must=[edge.FieldCondition("body", match=match)])
        counts.append(shard.count(edge.CountRequest(exact=True, filter=chosen)))
    shard.close()
    return tuple(counts)


place = pathlib.Path(sys.argv[1])
seen = {name: found(place / str(n), index) for n, (name, index) in enumerate(INDEXES.items())}
print("qdrant-edge-py", importlib.metadata.version("qdrant-edge-py"))
print("expected: an index changes how fast a filter is, not what it finds; or an error")
for name, (phrase, words) in seen.items():
    print(f"seen, {name}: {phrase} by the phrase 'quick brown', {words} by its words")
as_described = [*seen.values()] == [(1, 1), (0, 1), (1, 1)]
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/phrase.py" "$folder"
