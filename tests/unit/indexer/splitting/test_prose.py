"""Prose is cut by its headings and says under which it stands."""

from __future__ import annotations

from indexer.splitting.chunk import Chunk, ChunkKind
from indexer.splitting.html import split_html
from indexer.splitting.prose import split_markdown, split_restructured_text, split_text


def headers(chunks: list[Chunk]) -> list[str]:
    return [each.header for each in chunks]


def test_markdown_tells_the_headings_above() -> None:
    text = "intro\n\n# A\n\none\n\n## B *c*\n\ntwo\n\n```\n# no heading\n```\n\nD\n===\n\nthree\n"
    chunks = [*split_markdown(text)]
    assert headers(chunks) == ["", "A", "A > B *c*", "D"]
    assert "# no heading" in chunks[2].text
    assert (chunks[3].first_line, chunks[3].last_line) == (15, 18)
    assert {each.kind for each in chunks} == {ChunkKind.PROSE}


def test_restructured_text_tells_the_titles_above() -> None:
    text = (
        "=====\nTitle\n=====\n\none\n\nSub\n---\n\ntwo\n\nOther\n-----\n\nthree\n\nLong title\n--\n"
    )
    assert headers([*split_restructured_text(text)]) == ["Title", "Title > Sub", "Title > Other"]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    sentence = "The forebay takes the surge before the turbines. "
    chunks = [*split_text(sentence * 60)]
    assert len(chunks) > 1
    assert all(each.text.rstrip().endswith("turbines.") for each in chunks)


def test_html_is_read_as_people_see_it() -> None:
    page = (
        "<html><head><style>p {}</style></head><body><h1>One <b>two</b></h1><p>a<br>b</p>"
        "<p>c <i>d</i>e</p><ul><li>f<li>g</ul><pre>h\n  i</pre><script>no()</script>"
        "<h2>Below</h2>k</body></html>"
    )
    chunks = [*split_html(page)]
    assert headers(chunks) == ["One two", "One two > Below"]
    assert chunks[0].text == "One two\na\nb\nc de\nf\ng\nh\n  i\n"
    assert chunks[1].text == "Below\nk\n"


def test_a_page_that_nests_deeply_is_read() -> None:
    [chunk] = split_html("<div>" * 5000 + "deep" + "</div>" * 5000)
    assert chunk.text.strip() == "deep"


def test_a_title_is_no_longer_than_titles_are() -> None:
    said = "word " * 2000
    for chunks in (split_html(f"<h1>{said}"), split_markdown(f"{said}\n===\nbelow")):
        assert {len(each.header) for each in chunks} <= {0, 200}


def test_a_heading_in_a_heading_is_a_part_of_it() -> None:
    chunks = [*split_html("<h1>One <div><h2>two</h2></div></h1><p>a</p><h2>Below</h2>b")]
    assert headers(chunks) == ["One two", "One two > Below"]
