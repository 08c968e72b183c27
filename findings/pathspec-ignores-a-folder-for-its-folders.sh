#!/usr/bin/env bash
# In a .gitignore `logs/**/` names the folders below `logs`, not `logs` itself: git keeps logs/a.txt and
# ignores logs/old/. pathspec, by which formatters, packagers and indexers read ignore files, takes it for
# `logs/`: the files that lie in `logs` itself are ignored as well, and whoever lists a folder with it
# leaves out what git would commit, without a word.
#
# Seen with pathspec 1.1.1 beside git 2.39.5. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pathspec==1.1.1
mkdir -p "$folder/tree/logs/old"
cd "$folder/tree"
touch logs/a.txt logs/old/b.txt
echo 'logs/**/' > .gitignore
git init --quiet
git ls-files --others --exclude-standard > "$folder/git.txt"
cat > "$folder/look.py" <<'PY'
"""Compares what git lists with what pathspec leaves in."""
import importlib.metadata
import pathlib
import subprocess
import sys

from pathspec import GitIgnoreSpec

git = pathlib.Path(sys.argv[1]).read_text().split()
spec = GitIgnoreSpec.from_lines(pathlib.Path(".gitignore").read_text().splitlines())
files = [".gitignore", "logs/a.txt", "logs/old/b.txt"]
kept = [each for each in files if not spec.match_file(each)]
print("pathspec", importlib.metadata.version("pathspec"), "beside", end=" ", flush=True)
subprocess.run(["git", "--version"], check=True)
print("expected: both keep the same files")
print(f"seen: git keeps {git}, pathspec keeps {kept}")
as_described = (git, kept) == ([".gitignore", "logs/a.txt"], [".gitignore"])
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/look.py" "$folder/git.txt"
