"""Sets of questions out of small sources whose answers are known."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from indexer.evaluation.judged_set import JudgedQuestion, JudgedSet, MissingSet, unique_questions
from indexer.evaluation.sets.beir import beir
from indexer.evaluation.sets.git_history import commits
from indexer.evaluation.sets.manual import manual
from indexer.evaluation.sets.python_library import docstrings, symbols, without_docstrings
from indexer.evaluation.sets.roff import sections_of
from indexer.evaluation.sets.sampling import some_of
from shared.errors import InvalidRequest

SOURCE = '''\
def one(x):
    """Give it back.

    Twice."""
    return x

class Two:
    """Of the class: it stays."""
    def three(self):
        "Nothing is left but this."

    def four(self): "On the line."; return 4

    async def five(self):
        """Grüße an alle."""  # and a remark
        return 5
'''


def test_docstrings_go_and_the_rest_of_the_code_stays() -> None:
    bare, docs = without_docstrings(SOURCE)

    assert bare == (
        "def one(x):\n    return x\n\n"
        'class Two:\n    """Of the class: it stays."""\n'
        "    def three(self):\n        pass\n\n"
        "    def four(self): return 4\n\n"
        "    async def five(self):\n        # and a remark\n        return 5\n"
    )
    assert docs == [
        (1, "Give it back."),
        (6, "Nothing is left but this."),
        (9, "On the line."),
        (11, "Grüße an alle."),
    ]


def test_every_docstring_asks_for_code_that_no_longer_has_it() -> None:
    judged = docstrings(12)

    assert isinstance(judged, JudgedSet)
    assert len(judged.questions) > 10
    said = "\n".join(" ".join(each.chunk.text.split()) for each in judged.passages)
    targets = {each.target for each in judged.passages}
    for question in judged.questions:
        assert question.text not in said
        assert question.grades.keys() <= targets
    assert len({each.text.lower() for each in judged.questions}) == len(judged.questions)
    texts = [" ".join(each.chunk.text.split()) for each in judged.passages]
    assert len({*texts}) == len(texts)


def test_a_symbol_asks_for_the_passage_that_defines_it() -> None:
    judged = symbols(12)

    assert isinstance(judged, JudgedSet)
    texts = {
        target: "\n".join(each.chunk.text for each in judged.passages if each.target == target)
        for question in judged.questions
        for target in question.grades
    }
    for question in judged.questions:
        (target,) = question.grades
        assert question.text.rpartition(".")[2] in texts[target]


def test_what_is_asked_twice_is_not_asked() -> None:
    asked = [
        JudgedQuestion("1", "Close the file.", {"a": 1.0}),
        JudgedQuestion("2", "close  the file.", {"b": 1.0}),
        JudgedQuestion("3", "Open it.", {"c": 1.0}),
    ]

    assert [each.id for each in unique_questions(asked)] == ["3"]


def test_a_smaller_sample_is_a_part_of_a_larger_one() -> None:
    many = [str(number) for number in range(100)]

    assert {*some_of(many, 10)} < {*some_of(many, 20)}
    assert some_of(many, 10) == some_of(reversed(many), 10)
    assert len(some_of(many, 0)) == 100


def test_roff_is_read_as_words() -> None:
    page = (
        '.\\" a remark\n.TH LS 1\n.de XX\nnot this\n..\n.SH "NAME"\nls \\- list \\fBall\\fP files\n'
        '.SH OPTIONS\n.TP\n.BR \\-a ", " "\\-\\-all here"\ndo \\(lqit\\(rq\n.SS More\nwords\n'
    )

    assert [*sections_of(page)][1:] == [
        ("NAME", "ls - list all files"),
        ("OPTIONS", '-a ,  --all here\ndo "it"\n\n### More\n\nwords'),
    ]


def test_a_page_of_man_is_asked_for_by_its_line_and_does_not_have_it(tmp_path: Path) -> None:
    folder = tmp_path / "man1"
    folder.mkdir()
    for name, about in (("ls", "list what is there"), ("a", "say it aloud"), ("b", "say it aloud")):
        page = f".SH NAME\n{name} \\- {about}\n.SH DESCRIPTION\nThe page of {name}.\n"
        (folder / f"{name}.1.gz").write_bytes(gzip.compress(page.encode()))
    (folder / "empty.1").write_text("")

    judged = manual(0, places=(tmp_path,))

    assert isinstance(judged, JudgedSet)
    assert judged.documents == 3
    (question,) = judged.questions
    assert (question.text, question.grades) == ("list what is there", {"ls.1.gz"[:-3]: 1.0})
    assert not [each for each in judged.passages if "list what" in each.chunk.text]


def test_where_no_pages_are_the_set_says_so(tmp_path: Path) -> None:
    missing = manual(0, places=(tmp_path,))

    assert isinstance(missing, MissingSet)
    assert str(tmp_path) in missing.why


def test_a_commit_asks_for_the_definitions_that_it_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(
            ["git", *who, "-C", str(tmp_path), *arguments],
            check=True,
            env=os.environ | own,
            capture_output=True,
        )

    body = "    # " + "long enough to stand alone " * 12 + "\n"
    git("init", "-q")
    file = tmp_path / "a.py"
    file.write_text(f"def one():\n{body}    return 1\n\n\ndef two():\n{body}    return 2\n")
    git("add", ".")
    git("commit", "-q", "-m", "Begin with two functions here")
    file.write_text(file.read_text().replace("return 2", "return 22"))
    git("commit", "-q", "-a", "-m", "Let the second give twenty-two")

    judged = commits(tmp_path, 0)

    assert isinstance(judged, JudgedSet)
    assert {each.text: each.grades for each in judged.questions} == {
        "Begin with two functions here": {"a.py:one": 1.0, "a.py:two": 1.0},
        "Let the second give twenty-two": {"a.py:two": 1.0},
    }


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="--checkout"):
        commits(tmp_path, 0)
    assert isinstance(commits(None, 0), MissingSet)


def write_beir(folder: Path) -> None:
    (folder / "qrels").mkdir()
    corpus = [{"_id": f"d{n}", "title": f"Title {n}", "text": f"Text {n}."} for n in range(5)]
    queries = [{"_id": "q1", "text": "one?"}, {"_id": "q2", "text": "two?"}]
    for name, lines in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td3\t1\n"
    )


def test_beirs_format_is_read(tmp_path: Path) -> None:
    write_beir(tmp_path)

    judged = beir(tmp_path, 0)

    assert [(each.text, each.grades) for each in judged.questions] == [
        ("one?", {"d1": 2.0}),
        ("two?", {"d3": 1.0}),
    ]
    assert {each.target for each in judged.passages} == {"d0", "d1", "d2", "d3", "d4"}
    assert {"Title 1", "Text 1."} <= {
        line for each in judged.passages for line in each.chunk.text.splitlines()
    }
    assert beir(tmp_path, 3).documents == 3
    assert len(beir(tmp_path, 3).questions) == 2


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("corpus.jsonl", "{broken", "line 1"),
        ("queries.jsonl", '{"text": "no id"}', "line 1"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\tmuch\n", "line 2"),
        ("qrels/test.tsv", None, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_folder_is_named(
    tmp_path: Path, name: str, content: str | None, told: str
) -> None:
    write_beir(tmp_path)
    file = tmp_path / name
    file.unlink()
    if content is not None:
        file.write_text(content)

    with pytest.raises(InvalidRequest, match=told) as refused:
        beir(tmp_path, 0)
    assert name in str(refused.value)
