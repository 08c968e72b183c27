"""What code of each language defines, brings in and calls."""

from __future__ import annotations

import pytest

from indexer.splitting.code import split_code
from indexer.splitting.languages import GRAMMARS, language_of
from indexer.splitting.outline import Outline

SOURCES = {
    "python": (
        "import a\nfrom b import c\n@dec\ndef f(x):\n    return g(x).h()\n\n"
        "class A:\n    async def m(self): ...\n"
    ),
    "javascript": (
        "import x from 'y';\nexport class A extends B {\n  m(a) { return f(a.g()); }\n}\n"
        "export const h = (q) => new C(q);\nconst n = 3;\n"
    ),
    "typescript": (
        "import {a} from 'b';\nexport interface I { m(): void }\nexport type T = string;\n"
        "abstract class Q<T> { foo(x: number): T { return this.bar(x); } }\n"
        "namespace N { export function z() {} }\n"
    ),
    "tsx": "export function App(p: P) { return <div onClick={() => go(p)}>x</div>; }\n",
    "go": (
        'package m\nimport "fmt"\ntype T struct { a int }\n'
        "func (t *T) M(x int) int { fmt.Println(x); return x }\nfunc F[V any](x V) {}\n"
    ),
    "rust": (
        "use std::io;\nstruct S<T> { a: T }\n"
        'impl<T> S<T> { fn m(&self) { foo::bar(); self.z(); println!("x"); } }\n'
        "trait Tr { fn q(&self); }\n"
    ),
    "java": (
        "import java.util.List;\npublic class A { A() {} int m(int x) { return this.b(x); }\n"
        "  interface I { void z(); } }\n"
    ),
    "c": (
        "#include <stdio.h>\n#define N 3\nstruct foo { int a; };\n"
        "static int *add(int a, struct foo *b) { return g(a); }\n"
    ),
    "cpp": (
        "#include <vector>\nnamespace ns {\ntemplate <typename T>\n"
        "class A { public: int m() { return b(); } };\nint A<int>::n(int x) { return x->y(); }\n}\n"
    ),
    "ruby": "module M\n class A\n  def m(x)\n   foo(x)\n  end\n  def self.z; end\n end\nend\n",
    "bash": "#!/bin/sh\nf() {\n  echo hi\n}\nf x\n",
}
DEFINED = {
    "python": ["f function", "A class", "A.m function"],
    "javascript": ["A class", "A.m method", "h variable"],
    "typescript": [
        "I interface",
        "I.m method",
        "T type",
        "Q class",
        "Q.foo method",
        "N module",
        "N.z function",
    ],
    "tsx": ["App function"],
    "go": ["T type", "T.M method", "F function"],
    "rust": ["S struct", "S impl", "S.m function", "Tr trait", "Tr.q function"],
    "java": ["A class", "A.A constructor", "A.m method", "A.I interface", "A.I.z method"],
    "c": ["N macro", "foo struct", "add function"],
    "cpp": ["ns namespace", "ns.A class", "ns.A.m function", "ns.A.n function"],
    "ruby": ["M module", "M.A class", "M.A.m method", "M.A.z method"],
    "bash": ["f function"],
}
USED = {
    "python": ["import a", "from b import c", "f: h", "f: g"],
    "javascript": ["import x from 'y'", "A.m: f", "A.m: g", "h: C"],
    "typescript": ["import {a} from 'b'", "Q.foo: bar"],
    "tsx": ["App: go"],
    "go": ['"fmt"', "T.M: Println"],
    "rust": ["use std::io", "S.m: bar", "S.m: z", "S.m: println"],
    "java": ["import java.util.List", "A.m: b"],
    "c": ["#include <stdio.h>", "add: g"],
    "cpp": ["#include <vector>", "ns.A.m: b", "ns.A.n: y"],
    "ruby": ["M.A.m: foo"],
    "bash": ["f: echo", "None: f"],
}


def outline(language: str) -> Outline:
    return split_code(SOURCES[language], language).outline


def test_every_language_is_tried() -> None:
    assert {*SOURCES} == {*DEFINED} == {*USED} == {*GRAMMARS}


@pytest.mark.parametrize("language", SOURCES)
def test_definitions_are_found_with_their_qualified_names(language: str) -> None:
    found = outline(language).definitions
    assert [f"{each.name} {each.kind}" for each in found] == DEFINED[language]


@pytest.mark.parametrize("language", SOURCES)
def test_imports_and_calls_are_found_where_they_stand(language: str) -> None:
    found = [
        each.name if each.kind == "import" else f"{each.inside}: {each.name}"
        for each in outline(language).references
    ]
    assert found == USED[language]


def test_a_definition_begins_with_its_decorators_and_tells_its_signature() -> None:
    [function, *_] = outline("python").definitions
    assert function.signature == "def f(x):"
    assert SOURCES["python"][function.start : function.end].startswith("@dec")
    assert function.first_line == 3


def test_definitions_that_share_a_statement_are_told_apart() -> None:
    text = "export const one = () => 1, two = () => f(2);\n"
    definitions = split_code(text, "javascript").outline.definitions
    told = [text[each.start : each.end] for each in definitions]
    assert told == ["one = () => 1", "two = () => f(2)"]


def test_what_nests_endlessly_has_no_names_without_end() -> None:
    text = "class A { m() { " * 300 + "f()" + "}}" * 300
    found = split_code(text, "javascript").outline
    assert max(len(each.name) for each in found.definitions) == 199
    [call] = found.references
    assert call.inside == found.definitions[-1].name


def test_a_tree_with_errors_is_read_all_the_same() -> None:
    text = "def a(x):\n    return 1\n\ndef broken(:\n    pass\n\ndef b(y):\n    return 2\n"
    names = [each.name for each in split_code(text, "python").outline.definitions]
    assert {"a", "b"} <= {*names}


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("a.py", "", "python"),
        ("A.PY", "", "python"),
        ("src/a.tsx", "", "tsx"),
        ("a.h", "struct a { int b; };\n", "c"),
        ("a.h", "class A { public: int b; };\n", "cpp"),
        ("tool", "#!/usr/bin/env python3\n", "python"),
        ("tool", "#!/bin/sh -e\n", "bash"),
        ("Gemfile", "", "ruby"),
        ("readme.md", "", None),
        ("tool", "words\n", None),
    ],
)
def test_the_language_is_told_by_name_or_by_what_is_written(
    path: str, text: str, language: str | None
) -> None:
    assert language_of(path, text) == language
