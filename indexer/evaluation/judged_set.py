"""Passages, questions, and which passages answer which question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from indexer.splitting.chunk import Chunk
from indexer.splitting.splitter import SplitDocument, split_document


class JudgedPassage(msgspec.Struct, frozen=True):
    """A chunk as the index cuts it."""

    target: str
    """What it is a part of and found as: a definition, a page. The first of several counts."""
    path: str
    chunk: Chunk


class JudgedQuestion(msgspec.Struct, frozen=True):
    """A question and the targets that answer it, each with how well."""

    id: str
    text: str
    grades: dict[str, float]
    document: str = ""
    """Which of the reference's documents answers it, where it is asked."""


class ReferenceDocument(msgspec.Struct, frozen=True):
    """What the search that ours is held against has as one document, cut by nobody."""

    name: str
    target: str
    """That of the passage which it stands in."""
    for_text: str
    for_code: str | None
    """None of prose."""
    words: str
    """What BM25 counts."""


class WholeDocuments(msgspec.Struct, frozen=True):
    """What the product itself is given to index, for questions that need its ledger."""

    texts: dict[str, str]
    """By path."""
    targets: dict[tuple[str, int, int], str]
    """Of each passage by its path, its first line and its last."""


class JudgedSet(msgspec.Struct, frozen=True):
    """Questions about one corpus; several sets may have the same one."""

    name: str
    corpus: str
    origin: str
    """Where it comes from: runs of different origin are not compared."""
    documents: int
    passages: tuple[JudgedPassage, ...]
    questions: tuple[JudgedQuestion, ...]
    whole: WholeDocuments | None = None
    """Where the default is asked of the product with everything that it has."""
    reference: tuple[ReferenceDocument, ...] = ()
    """What a reference is asked for; none where there is no reference for such questions."""


class MissingSet(msgspec.Struct, frozen=True):
    """A set that cannot be built here; the sentence says why, and what would help."""

    name: str
    why: str


class CutFile(msgspec.Struct, frozen=True):
    """A document as the index cuts it, each chunk with the target that it belongs to."""

    path: str
    text: str
    split: SplitDocument
    passages: tuple[JudgedPassage, ...]

    def target_at(self, line: int) -> str | None:
        """The target of the chunk that begins last among those that hold the line."""
        holding = [
            each for each in self.passages if each.chunk.first_line <= line <= each.chunk.last_line
        ]
        return holding[-1].target if holding else None


def cut_code(path: str, text: str) -> CutFile:
    """A definition is a target, and of what is no definition each chunk."""
    split = split_document(path, text.encode(errors="surrogatepass"), text)
    passages = tuple(
        JudgedPassage(f"{path}:{chunk.symbol or f'#{number}'}", path, chunk)
        for number, chunk in enumerate(split.chunks)
    )
    return CutFile(path, text, split, passages)


def with_parts_apart(cut: CutFile) -> CutFile:
    """The same, where the parts of a class are targets of their own and those of a function one.

    Who asks for a method is not helped by another part of its class.
    """
    outline = cut.split.outline
    classes = {each.name for each in outline.definitions if each.kind == "class"} if outline else ()
    passages = tuple(
        msgspec.structs.replace(each, target=f"{each.target}#{number}")
        if each.chunk.symbol in classes
        else each
        for number, each in enumerate(cut.passages)
    )
    return msgspec.structs.replace(cut, passages=passages)


def cut_page(path: str, text: str, *, target: str) -> CutFile:
    """The whole document is the target."""
    split = split_document(path, text.encode(errors="surrogatepass"), text)
    return CutFile(
        path, text, split, tuple(JudgedPassage(target, path, each) for each in split.chunks)
    )


def unique_questions(questions: Iterable[JudgedQuestion]) -> tuple[JudgedQuestion, ...]:
    """Without those that are asked more than once: nobody could say which answer is meant."""
    by_text: dict[str, list[JudgedQuestion]] = {}
    for each in questions:
        by_text.setdefault(" ".join(each.text.lower().split()), []).append(each)
    return tuple(same[0] for same in by_text.values() if len(same) == 1)


def unlike(passages: Sequence[JudgedPassage]) -> tuple[tuple[JudgedPassage, ...], dict[str, str]]:
    """Without passages that say what an earlier one says, and for each target that is gone with
    them the one that stands for it.
    """
    first: dict[str, JudgedPassage] = {}
    for each in passages:
        first.setdefault(" ".join(each.chunk.text.split()), each)
    kept = {each.target for each in first.values()}
    stands_for = {
        each.target: first[" ".join(each.chunk.text.split())].target
        for each in passages
        if each.target not in kept
    }
    return tuple(first.values()), stands_for
