"""Where the generated parts stand in the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- generated: python -m deploy.cli.reference writes what follows -->\n"
END: Final = "<!-- end of what is generated -->\n"
DOCS: Final = Path(__file__).resolve().parents[3] / "docs"


def with_reference(page: str, reference: str) -> str:
    """The page with `reference` between its marks; raises ValueError where there are none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the marks {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{reference}\n{END}{after}"
