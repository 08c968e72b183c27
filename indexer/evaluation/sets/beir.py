"""A set in BEIR's format: `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv` in one folder.

Thakur et al., BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
Models (NeurIPS 2021).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import msgspec

from indexer.evaluation.judged_set import JudgedPassage, JudgedQuestion, JudgedSet, cut_page
from indexer.evaluation.sets.sampling import some_of
from shared.errors import InvalidRequest

BEIR: Final = "beir"
_JUDGEMENTS: Final = Path("qrels") / "test.tsv"
_LONGEST: Final = 2000


class _Line(msgspec.Struct, frozen=True):
    id: str = msgspec.field(name="_id")
    text: str = ""
    title: str = ""


def beir(folder: Path, limit: int) -> JudgedSet:
    """With a limit, the documents that are judged go before those that are not, and a question
    is left out where one of its answers is.

    Raises InvalidRequest with the file and the line.
    """
    judged = _judgements(folder / _JUDGEMENTS)
    right = {document for grades in judged.values() for document in grades}
    corpus = {each.id: each for each in _lines(folder / "corpus.jsonl")}
    chosen = some_of(right & corpus.keys(), limit)
    if limit == 0 or len(chosen) < limit:
        chosen += some_of(corpus.keys() - right, limit and limit - len(chosen))
    passages: list[JudgedPassage] = []
    for id_ in chosen:
        text = f"{corpus[id_].title}\n\n{corpus[id_].text}".strip()
        passages += cut_page(f"{id_}.txt", text, target=id_).passages
    there = {*chosen}
    questions = [
        JudgedQuestion(each.id, each.text[:_LONGEST], grades)
        for each in _lines(folder / "queries.jsonl")
        if (grades := judged.get(each.id, {})) and (limit == 0 or grades.keys() <= there)
    ]
    return JudgedSet(BEIR, BEIR, folder.name, len(chosen), tuple(passages), tuple(questions))


def _judgements(file: Path) -> dict[str, dict[str, float]]:
    judged: dict[str, dict[str, float]] = {}
    with _opened(file) as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if number == 1 and row[:1] == ["query-id"]:
                continue
            try:
                question, document, grade = row[0], row[1], float(row[2])
            except (IndexError, ValueError):
                raise _wrong(file, number, "write query-id, corpus-id and score") from None
            if grade > 0:
                judged.setdefault(question, {})[document] = grade
    return judged


def _lines(file: Path) -> Iterator[_Line]:
    with _opened(file) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield msgspec.json.decode(line, type=_Line)
                except msgspec.MsgspecError:
                    raise _wrong(file, number, "write an object with _id and text") from None


def _opened(file: Path) -> TextIO:
    try:
        return file.open(encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(
            f"--beir: {file} cannot be read: {error.strerror}. Name a folder with corpus.jsonl, "
            "queries.jsonl and qrels/test.tsv.",
            param="beir",
        ) from None


def _wrong(file: Path, line: int, fix: str) -> InvalidRequest:
    return InvalidRequest(f"--beir: line {line} of {file} cannot be used; {fix}.", param="beir")
