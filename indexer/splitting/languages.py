"""The languages that are cut by their syntax trees, and what their trees call things."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from tree_sitter import Language, Parser


class Grammar(NamedTuple):
    """How one language is parsed and read. Node types are those of its tree-sitter grammar."""

    module: str
    """The package that holds it."""
    function: str
    """What of the package gives the language."""
    definitions: Mapping[str, str]
    """Node type of a definition to the kind that people call it."""
    calls: Mapping[str, str]
    """Node type of a call to the field that names what is called."""
    imports: frozenset[str]
    """Node types of what brings in other modules."""


_C_DEFINITIONS: Final = {
    "function_definition": "function",
    "struct_specifier": "struct",
    "union_specifier": "union",
    "enum_specifier": "enum",
    "type_definition": "type",
    "preproc_def": "macro",
    "preproc_function_def": "macro",
}
_JAVASCRIPT_DEFINITIONS: Final = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "class_declaration": "class",
    "method_definition": "method",
    "variable_declarator": "variable",
}
_TYPESCRIPT_DEFINITIONS: Final = _JAVASCRIPT_DEFINITIONS | {
    "abstract_class_declaration": "class",
    "interface_declaration": "interface",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "internal_module": "module",
    "method_signature": "method",
    "function_signature": "function",
}
_CALL_EXPRESSION: Final = {"call_expression": "function"}
_JAVASCRIPT_CALLS: Final = _CALL_EXPRESSION | {"new_expression": "constructor"}
_IMPORT_STATEMENT: Final = frozenset({"import_statement"})

GRAMMARS: Final[Mapping[str, Grammar]] = {
    "python": Grammar(
        "tree_sitter_python",
        "language",
        {"function_definition": "function", "class_definition": "class"},
        {"call": "function"},
        frozenset({"import_statement", "import_from_statement"}),
    ),
    "javascript": Grammar(
        "tree_sitter_javascript", "language", _JAVASCRIPT_DEFINITIONS, _JAVASCRIPT_CALLS,
        _IMPORT_STATEMENT,
    ),
    "typescript": Grammar(
        "tree_sitter_typescript", "language_typescript", _TYPESCRIPT_DEFINITIONS,
        _JAVASCRIPT_CALLS, _IMPORT_STATEMENT,
    ),
    "tsx": Grammar(
        "tree_sitter_typescript", "language_tsx", _TYPESCRIPT_DEFINITIONS, _JAVASCRIPT_CALLS,
        _IMPORT_STATEMENT,
    ),
    "go": Grammar(
        "tree_sitter_go",
        "language",
        {"function_declaration": "function", "method_declaration": "method", "type_spec": "type"},
        _CALL_EXPRESSION,
        frozenset({"import_spec"}),
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        "language",
        {
            "function_item": "function",
            "function_signature_item": "function",
            "struct_item": "struct",
            "enum_item": "enum",
            "union_item": "union",
            "trait_item": "trait",
            "impl_item": "impl",
            "mod_item": "module",
            "type_item": "type",
            "macro_definition": "macro",
        },
        _CALL_EXPRESSION | {"macro_invocation": "macro"},
        frozenset({"use_declaration"}),
    ),
    "java": Grammar(
        "tree_sitter_java",
        "language",
        {
            "class_declaration": "class",
            "interface_declaration": "interface",
            "enum_declaration": "enum",
            "record_declaration": "record",
            "annotation_type_declaration": "annotation",
            "method_declaration": "method",
            "constructor_declaration": "constructor",
        },
        {"method_invocation": "name", "object_creation_expression": "type"},
        frozenset({"import_declaration"}),
    ),
    "c": Grammar(
        "tree_sitter_c", "language", _C_DEFINITIONS, _CALL_EXPRESSION,
        frozenset({"preproc_include"}),
    ),
    "cpp": Grammar(
        "tree_sitter_cpp",
        "language",
        _C_DEFINITIONS
        | {"class_specifier": "class", "namespace_definition": "namespace"}
        | {"alias_declaration": "type"},
        _CALL_EXPRESSION,
        frozenset({"preproc_include", "using_declaration"}),
    ),
    "ruby": Grammar(
        "tree_sitter_ruby",
        "language",
        {
            "method": "method",
            "singleton_method": "method",
            "class": "class",
            "module": "module",
        },
        {"call": "method"},
        frozenset(),
    ),
    "bash": Grammar(
        "tree_sitter_bash",
        "language",
        {"function_definition": "function"},
        {"command": "name"},
        frozenset(),
    ),
}  # fmt: skip

_BY_SUFFIX: Final = {
    ".py": "python", ".pyi": "python", ".pyw": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
    ".go": "go", ".rs": "rust", ".java": "java", ".c": "c",
    ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".hh": "cpp", ".hxx": "cpp",
    ".rb": "ruby", ".rake": "ruby", ".gemspec": "ruby", ".sh": "bash", ".bash": "bash",
}  # fmt: skip
_BY_NAME: Final = {"Rakefile": "ruby", "Gemfile": "ruby"}
_BY_INTERPRETER: Final = {
    "python": "python", "python3": "python", "node": "javascript", "ruby": "ruby",
    "sh": "bash", "bash": "bash", "dash": "bash",
}  # fmt: skip
_SHEBANG: Final = re.compile(r"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-\S+[ \t]+)*)?([a-z]+\d?)")
_CPP: Final = re.compile(
    r"^[ \t]*(?:class|namespace|template|using|public:|private:|protected:|extern[ \t]+\"C\")"
    r"|\w::\w|#include[ \t]*<\w+>",
    re.MULTILINE,
)


def language_of(path: str, text: str) -> str | None:
    """The language of a file of code, a key of GRAMMARS; None of all other files.

    A header of C or C++ is told by what stands in it: both are named `.h`.
    """
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    if suffix == ".h":
        return "cpp" if _CPP.search(text) else "c"
    known = _BY_SUFFIX.get(suffix) or _BY_NAME.get(name.name)
    if known is None and not suffix and (shebang := _SHEBANG.match(text)):
        return _BY_INTERPRETER.get(shebang[1])
    return known


@cache
def parser_of(language: str) -> Parser:
    """One parser for each language and process; it holds no state between two texts."""
    grammar = GRAMMARS[language]
    package = importlib.import_module(grammar.module)
    return Parser(Language(getattr(package, grammar.function)()))
