"""What an index is made as; the same for each generation."""

from __future__ import annotations

from typing import Final

from meilisearch_python_sdk.models.settings import (
    Filter,
    FilterableAttributeFeatures,
    FilterableAttributes,
    MeilisearchSettings,
    Pagination,
    TypoTolerance,
)

from shared.search.checking_queries import DEEPEST

PRIMARY_KEY: Final = "id"
_SEARCHED: Final = ["symbol", "header", "identifiers", "body"]
"""The first counts most."""


def form() -> MeilisearchSettings:
    """Facets and vectors are off: nothing of ours asks for them, and each write would pay.

    No stop words: a question that has only those would find everything.
    """
    return MeilisearchSettings(
        searchable_attributes=_SEARCHED,
        filterable_attributes=[
            _filterable("keys", PRIMARY_KEY, comparison=False),
            _filterable("ver", "numbers", comparison=True),
        ],
        typo_tolerance=TypoTolerance(
            enabled=True, disable_on_attributes=["symbol", "identifiers"], disable_on_numbers=True
        ),
        pagination=Pagination(max_total_hits=DEEPEST),
        facet_search=False,
    )


def _filterable(*names: str, comparison: bool) -> FilterableAttributes:
    return FilterableAttributes(
        attribute_patterns=list(names),
        features=FilterableAttributeFeatures(
            facet_search=False, filter=Filter(equality=True, comparison=comparison)
        ),
    )
