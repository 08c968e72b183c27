#!/usr/bin/env bash
# Queries for tree-sitter filter their matches with predicates. py-tree-sitter knows #eq?, #match?,
# #any-of? and a few more; query files of editors and other bindings have others, such as #lua-match? or
# #contains?. One that it does not know, or that is misspelt, is neither an error when the query is made
# nor when it runs: the predicate holds for everything, so a borrowed query matches far too much.
#
# Seen with tree-sitter 0.26.1 and tree-sitter-python 0.25.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tree-sitter==0.26.1 tree-sitter-python==0.25.0
cat > "$folder/predicates.py" <<'PY'
"""Asks one text for the names that begin with `al`, in four spellings; prints what each captures."""
import importlib.metadata
import sys

import tree_sitter
import tree_sitter_python

TEXT = b"alpha = 1\nbeta = 2\n"
ASKED = {
    "known": '(#match? @name "^al")',
    "of Neovim": '(#lua-match? @name "^al")',
    "of Helix and Neovim": '(#contains? @name "al")',
    "misspelt": '(#mtach? @name "^al")',
}
language = tree_sitter.Language(tree_sitter_python.language())
tree = tree_sitter.Parser(language).parse(TEXT)


def captured(predicate):
    """The names that are left, or the error."""
    try:
        query = tree_sitter.Query(language, f"((identifier) @name {predicate})")
        nodes = tree_sitter.QueryCursor(query).captures(tree.root_node).get("name", [])
    except Exception as error:
        return repr(error)
    return [node.text.decode() for node in nodes]


seen = {name: captured(predicate) for name, predicate in ASKED.items()}
print("tree-sitter", importlib.metadata.version("tree-sitter"))
print("expected: ['alpha'], or an error that names the predicate")
for name, predicate in ASKED.items():
    print(f"seen, {name}: {predicate} captures {seen[name]}")
as_described = [*seen.values()] == [["alpha"], *[["alpha", "beta"]] * 3]
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/predicates.py"
