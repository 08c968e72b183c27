"""The page of the breakers says of every class of error what it means for them."""

from __future__ import annotations

import pytest

from tests.architecture.tree import ROOT
from workers.providers.error_class import ErrorClass


@pytest.mark.parametrize("error_class", ErrorClass)
def test_the_page_names_the_class(error_class: ErrorClass) -> None:
    page = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert any(f"`{error_class}`" in row for row in rows)
