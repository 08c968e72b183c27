"""Each document is cut by what it is, and a bad one says what is wrong with it."""

from __future__ import annotations

import msgspec
import pytest

from indexer.splitting.chunk import ChunkKind, UnreadableDocument
from indexer.splitting.pdf import split_pdf
from indexer.splitting.splitter import SplitDocument, split_document


def split(path: str, text: str) -> SplitDocument:
    return split_document(path, text.encode(), text)


@pytest.mark.parametrize(
    ("path", "language", "kind"),
    [
        ("a.py", "python", ChunkKind.CODE),
        ("a.md", "md", ChunkKind.PROSE),
        ("a.toml", "toml", ChunkKind.CODE),
        ("Makefile", "makefile", ChunkKind.CODE),
        ("a.unknown", "text", ChunkKind.PROSE),
        ("LICENSE", "text", ChunkKind.PROSE),
    ],
)
def test_the_way_is_told_by_the_name(path: str, language: str, kind: ChunkKind) -> None:
    document = split(path, "a = 1\n")
    assert document.language == language
    assert [each.kind for each in document.chunks] == [kind]
    assert (document.outline is None) == (language != "python")


def test_a_notebook_is_its_cells_in_order() -> None:
    cells = [
        {"cell_type": "markdown", "source": "# Title\nwords"},
        {"cell_type": "code", "source": ["def f():\n", "    return 1"], "outputs": [{"a": "b"}]},
        {"cell_type": "raw", "source": ""},
    ]
    written = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4}
    document = split("a.ipynb", msgspec.json.encode(written).decode())
    assert [(each.kind, each.text) for each in document.chunks] == [
        (ChunkKind.PROSE, "# Title\nwords"),
        (ChunkKind.CODE, "def f():\n    return 1"),
    ]


_DEEP = '{"cells": [], "metadata": {"a": ' + "[" * 2000 + "]" * 2000 + "}}"


@pytest.mark.parametrize(
    "written", ["{", "{}", '{"cells": 3}', '{"cells": [{"source": 3}]}', _DEEP]
)
def test_what_is_no_notebook_is_cut_as_text_and_says_so(written: str) -> None:
    document = split("a.ipynb", written)
    assert document.trouble is not None
    assert document.trouble.startswith("It is no Jupyter notebook: ")
    assert "".join(each.text for each in document.chunks) == written


def test_a_page_that_opens_too_much_is_cut_as_text_and_says_so() -> None:
    written = "<div>" * 6000 + "deep"
    document = split("a.html", written)
    assert document.trouble == "It opens more than 5000 elements in each other: cut as text."
    assert "".join(each.text for each in document.chunks) == written


def pdf(*pages: str) -> bytes:
    """The least that is a PDF, one line of Helvetica a page."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, said in enumerate(pages):
        shown = f"BT /F1 12 Tf 72 720 Td ({said}) Tj ET"
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font "
            f"<< /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        ]
    written, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        written
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
            f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
        ).encode()
    )


def test_a_pdf_is_read_page_by_page() -> None:
    document = split_document("a.pdf", pdf("One page", "", "Another"), None)
    assert document.trouble is None
    assert [(each.text.strip(), each.first_line) for each in document.chunks] == [
        ("One page", 1),
        ("Another", 3),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.4\nnothing", "It cannot be read as PDF: "),
        (pdf("One")[:200], "It cannot be read as PDF: "),
        (pdf(""), "No page has text"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(content: bytes, words: str) -> None:
    document = split_document("a.pdf", content, None)
    assert document.chunks == []
    assert document.trouble is not None
    assert document.trouble.startswith(words)


def test_a_pdf_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(UnreadableDocument, match=r"not read within 0\.001 seconds"):
        [*split_pdf(pdf("One"), patience_seconds=0.001)]
