#!/usr/bin/env bash
# Qdrant's tokenizer for all languages, `Multilingual`, leaves out every word that is a number. An error
# code, a year or a version cannot be found by it: `404` and `3.14` match nothing in a text that holds
# them, while `error 404` matches every text with `error`. The tokenizers Word, Whitespace and Code find
# both. Nothing says so when the index is made, and no error is raised when a number is asked for.
#
# Seen with qdrant-edge-py 0.9.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qdrant-edge-py==0.9.0
cat > "$folder/numbers.py" <<'PY'
"""Two errors, asked for by their number; how many each tokenizer finds."""
import importlib.metadata
import pathlib
import sys

import qdrant_edge as edge

TEXTS = ["error 404 not found", "error 500 in version 3.14"]
ASKED = ["404", "3.14", "error 404"]
KINDS = [edge.TokenizerType.Word, edge.TokenizerType.Code, edge.TokenizerType.Multilingual]


def found(folder, tokenizer):
    """How many of the texts each question matches."""
    folder.mkdir()
    vectors = {"v": edge.EdgeVectorParams(2, edge.Distance.Cosine)}
    shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))
    index = edge.TextIndexParams(tokenizer=tokenizer)
    shard.update(edge.UpdateOperation.create_field_index("body", index))
    points = [edge.Point(n, {"v": [1.0, 0.0]}, {"body": each}) for n, each in enumerate(TEXTS, 1)]
    shard.update(edge.UpdateOperation.upsert_points(points))
    counts = []
    for text in ASKED:
        chosen = edge.Filter(must=[edge.FieldCondition("body", match=edge.MatchText(text))])
        counts.append(shard.count(edge.CountRequest(exact=True, filter=chosen)))
    shard.close()
    return counts


place = pathlib.Path(sys.argv[1])
seen = [found(place / str(n), kind) for n, kind in enumerate(KINDS)]
print("qdrant-edge-py", importlib.metadata.version("qdrant-edge-py"))
print(f"texts: {TEXTS}")
print("expected: each tokenizer finds one text by 404, by 3.14 and by 'error 404'")
for name, counts in zip(("Word", "Code", "Multilingual"), seen):
    print(f"seen, {name}:", ", ".join(f"{text!r} {n}" for text, n in zip(ASKED, counts)))
as_described = seen == [[1, 1, 1], [1, 1, 1], [0, 0, 2]]
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/numbers.py" "$folder"
