"""Documentation that is made from the code says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialfeed.contacts.reasons import BY_CODE, CATALOGUE
from dialfeed.pages import PAGES

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_every_reason_has_a_code_of_its_own_and_words_for_people() -> None:
    assert len(BY_CODE) == len(CATALOGUE)
    for reason in CATALOGUE:
        assert reason.title
        assert reason.sentence.endswith(".")
        assert reason.remedy.endswith(".")
        assert reason.bucket == "none" or reason.severity == "error", reason.code
