"""Two runs side by side: what is different is said, and what is not is not."""

from __future__ import annotations

from typing import Any

import told_runs
from html_page import Page

from dialfeed.reports.comparison import compared
from dialfeed.reports.html.page import render_comparison
from dialfeed.reports.story import story_of

SECOND = {
    "run": "20261127T074000Z-fedcba",
    "rows": told_runs.summary()["rows"] | {"read": 1200, "delivered": 500, "invalid": 520},
    "reasons": {"phone.too_short": 490, "flag.missing": 40, "suppressed.do_not_call": 60, "email.no_at": 200},
    "lists": [{"id": "us-national", "version": "2", "valid_until": "2026-12-27"}],
    "versions": {"dialfeed": "0.2.0"},
}


def differences(**changes: Any) -> list[str]:
    first, second = told_runs.summary(), told_runs.summary(**changes)
    return list(compared(first, story_of(told_runs.delivery(9)), second, story_of(told_runs.delivery(9))).differences)


def test_two_runs_alike_have_no_differences() -> None:
    assert differences() == ["Both runs read the same content."]


def test_what_moved_is_said_with_both_numbers() -> None:
    said = "\n".join(differences(**SECOND))
    for fact in (
        "200 rows more (1,000, then 1,200)",
        "Rows delivered: their share fell from 70.0 % to 41.7 % (700, then 500).",
        "Rows invalid: their share rose from 12.0 % to 43.3 %",
        "“No @-sign in the e-mail address” (email.no_at): their share rose from 0.0 % to 16.7 %",
        "do-not-call list us-national was used in the second run only",
        "Different versions: dialfeed.",
    ):
        assert fact in said


def test_a_rehearsal_beside_an_import_is_said_before_its_numbers() -> None:
    said = differences(policy=told_runs.summary()["policy"] | {"dry_run": True})
    assert said[1] == "The second run was to send nothing: what it counts as failed is fit to load."


def test_the_page_begins_with_what_came_of_both() -> None:
    first, second = told_runs.summary(), told_runs.summary(**SECOND)
    story = story_of(told_runs.delivery(9))
    page = Page(render_comparison(compared(first, story, second, story), [first, second], [story, story]))
    assert next(page.root.all("h1")).text == "700 delivered, then 500."
    assert compared(first, story, first, story).headline == "Both delivered 700."


def test_a_slower_delivery_is_said() -> None:
    fast, slow = story_of(told_runs.delivery(100)), story_of(told_runs.delivery(100, every=1.0))
    said = compared(told_runs.summary(), fast, told_runs.summary(), slow).differences
    assert any(sentence.startswith("The second run was slower (") for sentence in said)


def test_the_page_shows_both_side_by_side_and_refers_to_nothing_outside_itself() -> None:
    summaries = [told_runs.summary(), told_runs.summary(**SECOND)]
    stories = [story_of(told_runs.delivery(9)), story_of(told_runs.delivery(900))]
    comparison = compared(summaries[0], stories[0], summaries[1], stories[1])
    page = Page(render_comparison(comparison, summaries, stories))
    assert ["delivered", "700", "500", "\u2212200"] in page.table("Rows by bucket")
    assert page.table("Rows by reason")[0][1:] == ["90", "490", "+400"]
    assert page.table("Do-not-call") == [["us-national", "not used", "2, valid until 2026-12-27"]]
    assert all(reference.startswith("#") for reference in page.references())
    assert len(page.source.encode()) < 200_000


def test_runs_that_never_sent_anything_are_compared_as_well() -> None:
    nothing = told_runs.summary(rows=dict.fromkeys(told_runs.summary()["rows"], 0), reasons={}, command="validate")
    comparison = compared(nothing, story_of([]), nothing, story_of([]))
    assert Page(render_comparison(comparison, [nothing, nothing], [story_of([]), story_of([])])).headings()
