"""Pages of man as Markdown: headings and words, enough of roff for that and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_ESCAPE: Final = re.compile(
    r"\\(?:f(?:\[[^]]*\]|\(..|.)|s[+-]?\d+|\*(?:\[[^]]*\]|\(..|.)|n(?:\[[^]]*\]|\(..|.)"
    r"|[hvwm]'[^']*'|m\[[^]]*\]|[&%|^:/,cdu]|\".*)"
)
"""What sets type, and prints nothing itself."""
_NAMED: Final = {
    "\\-": "-", "\\e": "\\", "\\(co": "©", "\\(bu": "•", "\\(em": "—", "\\(en": "–", "\\(aq": "'",
    "\\(dq": '"', "\\(lq": '"', "\\(rq": '"', "\\(oq": "'", "\\(cq": "'", "\\'": "'", "\\`": "`",
    "\\ ": " ", "\\~": " ", "\\0": " ", "\\.": ".", "\\t": " ", "\\(ti": "~", "\\(ha": "^",
}  # fmt: skip
_REQUEST: Final = re.compile(r"[.'][ \t]*(\w+|\\\"|\.)?[ \t]*(.*)")
_WORDS: Final = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
_SILENT: Final = frozenset({
    "TH", "Dd", "Dt", "Os", "ad", "nh", "hy", "ie", "el", "if", "ds", "nr", "rr", "so", "in", "ti",
    "ne", "ta", "ft", "fi", "nf", "TS", "TE", "EX", "EE", "Bl", "El", "Bd", "Ed", "RS", "RE", "UE",
    "ME", "PD", "de1", "ig", "lf", "mso", "tr", "als", "cc", "ec", "eo", "pl", "ll", "Vb", "Ve",
})  # fmt: skip
_PARAGRAPHS: Final = frozenset({"PP", "P", "LP", "TP", "HP", "IP", "sp", "Pp", "It", "TQ"})


def sections_of(source: str) -> Iterator[tuple[str, str]]:
    """Each section's name and its text; a deeper heading is a line that begins with `###`."""
    name = ""
    said: list[str] = []
    for request, words in _lines(source):
        if request in {"SH", "Sh"}:
            yield name, "\n".join(said).strip()
            name, said = words, []
        elif request in {"SS", "Ss"}:
            said.append(f"\n### {words}\n")
        elif request in _PARAGRAPHS:
            said.append(f"\n{words}" if words else "")
        elif words:
            said.append(words)
    yield name, "\n".join(said).strip()


def _lines(source: str) -> Iterator[tuple[str, str]]:
    """Each line's request, empty of plain text, and its words."""
    is_defining = False
    for line in source.splitlines():
        request, rest = "", line
        if line[:1] in {".", "'"} and (found := _REQUEST.fullmatch(line)):
            request, rest = found[1] or "", found[2]
            if request in {"de", "de1", "am", "ig"}:
                is_defining = True
            elif request == ".":
                is_defining = False
                continue
            if request in _SILENT or not request.isalnum() or len(request) > 3:
                continue
            if request == "Nd":
                rest = f"- {rest}"
            rest = " ".join(_plain(one or other) for one, other in _WORDS.findall(rest))
        if not is_defining:
            yield request, _plain(rest)


def _plain(text: str) -> str:
    for written, meant in _NAMED.items():
        text = text.replace(written, meant)
    return _ESCAPE.sub("", text)
