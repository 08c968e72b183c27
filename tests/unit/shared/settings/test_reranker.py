"""A server of rerankers that cannot work is named with what to set instead."""

from __future__ import annotations

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings

SET = {"FOREBAY_SEARCH__RERANKER__URL": "http://h:1/v1", "FOREBAY_SEARCH__RERANKER__MODEL": "m"}


def test_none_is_set_unless_it_has_an_address() -> None:
    assert not load_settings({}).search.reranker.url
    assert load_settings(SET).search.reranker.url == "http://h:1/v1"
    tei = {"FOREBAY_SEARCH__RERANKER__KIND": "tei", "FOREBAY_SEARCH__RERANKER__URL": "http://h:1"}
    assert load_settings(tei).search.reranker.model is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"URL": ""}, r"search\.reranker\.url is not given"),
        ({"MODEL": ""}, r"search\.reranker\.model is not given"),
        ({"URL": "ftp://h/v1"}, r"search\.reranker\.url = 'ftp:.*unknown kind of server"),
        ({"URL": "http://a:b@h/v1"}, r"search\.reranker\.url has a login in it"),
        ({"CANDIDATES": "101"}, r"search\.reranker\.candidates"),
        ({"KIND": "cohere"}, r"search\.reranker\.kind"),
    ],
)
def test_what_cannot_work_is_named(changed: dict[str, str], said: str) -> None:
    env = SET | {f"FOREBAY_SEARCH__RERANKER__{name}": value for name, value in changed.items()}
    with pytest.raises(SettingsError, match=said):
        load_settings(env)
