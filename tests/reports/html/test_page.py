"""The report says what the run told, refers to nothing outside itself, and escapes whatever it is given."""

from __future__ import annotations

import re
from typing import Any

import pytest
import told_runs
from html_page import Page

from dialfeed.contacts.reasons import CATALOGUE
from dialfeed.reports.examples import Example
from dialfeed.reports.html.page import render
from dialfeed.reports.html.view import Next, next_step, verdict

HOSTILE = '<script src="https://evil.example/x.js">alert(1)</script>" onload=\'x\'><img src=//evil.example>{{ 7*7 }}&'

OPEN = "Of 20 contacts it is not known whether they arrived. 30 contacts were not sent. 140 rows wait to be mended."
NO_ROWS = dict.fromkeys(("read", "delivered", "duplicate", "invalid", "suppressed", "refused", "failed", "unknown"), 0)
ONE_OF_EACH = ("delivered", "duplicate", "invalid", "suppressed", "refused", "failed", "unknown")


def page(trail: Any = None, examples: Any = None, **changes: Any) -> Page:
    return Page(render(told_runs.summary(**changes), trail or told_runs.delivery(9), examples=examples))


def test_every_row_is_in_one_bucket_and_in_the_picture() -> None:
    rows = page().table("Rows by bucket")
    assert [(row[0], row[1]) for row in rows] == [
        ("delivered", "700"), ("duplicate", "50"), ("invalid", "120"), ("suppressed", "60"), ("refused", "20"),
        ("failed", "30"), ("unknown", "20"), ("read", "1,000"),
    ]  # fmt: skip
    assert page().table("Rows by stage") == [
        ["Read", "1,000", "none", "1,000"],
        ["Fit to load", "1,000", "120 invalid", "880"],
        ["Permitted", "880", "60 suppressed", "820"],
        ["Distinct", "820", "50 duplicate", "770"],
        ["On the list", "770", "20 refused, 30 failed, 20 unknown", "700"],
    ]


def test_every_reason_has_its_count_its_remedy_and_examples() -> None:
    examples = {"phone.too_short": [Example(17, "phone", "+1 … 42"), Example(20, "phone")]}
    rows = page(examples=examples).table("Reasons why")
    assert [row[0] for row in rows] == ["90", "60", "50", "40"]
    first = rows[0]
    assert "phone.too_short" in first[1]
    assert first[2] == "Add the missing digits."
    assert first[3] == "row 17 +1 … 42 row 20"


def test_every_reason_of_the_catalogue_can_be_told() -> None:
    counts = {reason.code: number for number, reason in enumerate(CATALOGUE, 1)}
    assert len(page(reasons=counts).table("Reasons why")) == len(CATALOGUE)
    assert "from.tomorrow" in page(reasons={"from.tomorrow": 3}).table("Reasons why")[0][1]


def test_the_verification_is_a_sum_that_anybody_can_check() -> None:
    assert page().table("The platform's count") == [
        ["on the list before", "120"],
        ["+ delivered by this run", "700"],
        ["+ unknown, at most", "20"],
        ["= expected", "820 to 840"],
        ["on the list after", "830"],
    ]
    assert "one that can be explained" in page().root.text, "20 are unknown"
    rows = {**told_runs.summary()["rows"], "unknown": 0, "delivered": 720}
    assert "The counts agree." in page(rows=rows, platform_count={"before": 120, "after": 840}).root.text
    untold = page(platform_count={"before": None, "after": None})
    assert "nothing could be compared" in untold.root.text


def test_what_other_runs_have_put_there_is_a_part_of_the_sum() -> None:
    told = page(later_runs={"delivered": 50, "perhaps": 10}, platform_count={"before": 120, "after": 885})
    assert told.table("The platform's count")[3:5] == [
        ["+ from other runs since, at most", "60"],
        ["= expected", "870 to 900"],
    ]
    assert "one that can be explained" in told.root.text


def test_a_run_that_sent_nothing_does_not_say_that_the_platform_did_not_tell() -> None:
    told = page(
        batches=0, platform_count={"before": None, "after": None}, list={"id": "", "name": ""}, exit_code=2
    ).root.text
    assert "Nothing was sent, so there was nothing to compare." in told
    assert "not found yet" in told


def test_what_was_verified_again_later_is_told() -> None:
    again = {"before": 120, "delivered": 700, "unknown": 20, "by": "verify"}
    trail = [
        *told_runs.delivery(9),
        told_runs.event(9e5, "count.verified", after=900, later=60, difference=0, **again),
        told_runs.event(9e6, "count.verified", after=860, later=60, difference=-20, **again),
        told_runs.event(9e6, "contacts.verified", sent=700, looked_up=700, missing=20, surplus=0, twice=0, by="verify"),
    ]
    told = page(trail)
    assert [row[1:] for row in told.table("Verified again")] == [["900", "60", "same"], ["860", "60", "\u221220"]]
    assert ["sent, but not there", "20"] in told.table("Contacts read back")


def test_the_do_not_call_lists_are_told_with_the_day_until_which_they_hold() -> None:
    rows = page(lists=told_runs.LISTS, policy={"do_not_call": "scrubbed against 2 lists", "flagged": "keep"}).table(
        "Do-not-call"
    )
    assert rows[0][:2] == ["us-national", "FTC"]
    assert rows[0][4:6] == ["2026-12-21 06:00:00 UTC", "258,500,000"]
    assert rows[1][4] == "does not lapse"
    without = page().root.text
    assert "Scrubbed against no list." in without


def test_a_list_that_could_not_be_used_and_one_of_very_many_area_codes_are_told() -> None:
    many = [
        *told_runs.LISTS,
        {"list_id": "us-all", "state": "stale", "coverage": [str(code) for code in range(201, 500)]},
    ]
    rows = page(lists=many).table("Do-not-call")
    assert rows[0][6] == "212, 646"
    assert rows[2][0] == "us-all"
    assert rows[2][6].endswith("… (299 in all)")
    assert rows[2][7] == "stale"


def test_decisions_and_calling_hours_are_told_where_there_are_any() -> None:
    scrub = {"decisions": {"block": 1207, "allow": 30}, "lines": 1237, "hours": {"day": "2026-11-27", "sent": []}}
    told = page(lists=told_runs.LISTS, scrub=scrub)
    assert told.table("Decisions about numbers") == [["block", "1,207"], ["allow", "30"]]
    assert told.table("Calling hours") == [["day", "2026-11-27"]]
    assert "Calling hours" not in page().headings()


def test_what_to_do_next_is_the_command() -> None:
    assert "dialfeed resume 20261126T074000Z-abcdef" in [code.text for code in page().root.all("code")]


@pytest.mark.parametrize(
    ("told", "words", "command"),
    [
        (
            "dialfeed settle 20261126T074000Z-abcdef",
            "Find out whether what is unknown is on the list; nothing is sent.",
            "dialfeed settle 20261126T074000Z-abcdef",
        ),
        ("dialfeed from-tomorrow", "", "dialfeed from-tomorrow"),
        (
            "Mend rejected.csv, then: dialfeed retry 20261126T074000Z-abcdef '/a: b/rejected.csv'",
            "Mend rejected.csv.",
            "dialfeed retry 20261126T074000Z-abcdef '/a: b/rejected.csv'",
        ),
        (
            "Load the do-not-call lists (dialfeed dnc status names them), then import suppressed.csv.",
            "Load the do-not-call lists (dialfeed dnc status names them), then import suppressed.csv.",
            "",
        ),
        ("", "Nothing: the run is complete.", ""),
    ],
)
def test_only_what_can_be_typed_is_shown_as_a_command(told: str, words: str, command: str) -> None:
    assert next_step({"next": told, "error": ""}) == Next(words, command)


@pytest.mark.parametrize(
    ("changes", "word", "headline", "more"),
    [
        (
            {"command": "validate", "status": "SUCCESS"}, "Checked", "30 of 1,000 rows are fit to load.",
            "Checked without a platform. 140 rows wait to be mended.",
        ),
        (
            {"policy": {"dry_run": True, "flagged": "keep"}}, "Checked", "30 of 1,000 rows are fit to load.",
            "A rehearsal: nothing was sent. 140 rows wait to be mended.",
        ),
        ({"status": "STOPPED"}, "Stopped by a guard", "A guard stopped this run before the first batch.",
         "Nothing was sent."),
        (
            {}, "Done in part", "700 of 1,000 rows are on the contact list.",
            OPEN,
        ),
        (
            {"rows": dict.fromkeys(ONE_OF_EACH, 1) | {"read": 7}}, "Done in part",
            "1 of 7 rows is on the contact list.",
            "Of 1 contact it is not known whether it arrived. 1 contact was not sent. 2 rows wait to be mended.",
        ),
        ({"status": "SUCCESS", "rows": NO_ROWS}, "Done", "The source holds no row.", ""),
        ({"status": "INTERRUPTED", "rows": NO_ROWS, "error": "Stopped."}, "Interrupted", "No row was read.", ""),
        ({"status": "FAILED", "rows": NO_ROWS}, "Failed", "The run failed before a contact was on the list.", ""),
    ],
)  # fmt: skip
def test_the_head_says_what_came_of_it(changes: dict[str, Any], word: str, headline: str, more: str) -> None:
    assert page(**changes).root.text.count(headline) == 1
    told = verdict(told_runs.summary(**changes))
    assert (told.word, told.headline, told.more) == (word, headline, more)


def test_a_run_whose_error_says_what_to_do_is_not_told_so_twice() -> None:
    assert "What to do next" in page(error="The disk is full.").headings()
    assert "What to do next" not in page(error="Name another list.", next="").headings()


def test_a_part_that_is_a_hair_beside_the_others_can_be_seen() -> None:
    rows = NO_ROWS | {"read": 10_000_000, "delivered": 9_999_999, "unknown": 1}
    drawn = next(svg for svg in page(rows=rows).root.all("svg") if svg.attributes.get("role") == "img")
    (unknown,) = (group for group in drawn.all("g") if "k-unknown" in group.attributes.get("class", ""))
    (bar,) = unknown.all("rect")
    assert float(bar.attributes["width"]) >= 1
    assert len([each for each in drawn.all("rect") if "thin" in each.attributes["class"]]) == 1


def test_a_page_refers_to_nothing_outside_itself() -> None:
    for each in (page(), page(lists=told_runs.LISTS), page(told_runs.delivery(2000))):
        assert all(reference.startswith("#") for reference in each.references())
        targets = {node.attributes["id"] for node in each.root.everything() if "id" in node.attributes}
        assert {reference[1:] for reference in each.references()} <= targets
        assert not list(each.root.all("script"))
        assert not list(each.root.all("link"))
        policy = next(node for node in each.root.all("meta") if "http-equiv" in node.attributes)
        assert policy.attributes["content"].startswith("default-src 'none'")


def test_hostile_names_stay_text() -> None:
    changes: dict[str, Any] = {
        "list": {"id": HOSTILE, "name": HOSTILE},
        "source": {"path": HOSTILE, HOSTILE: HOSTILE},
        "fields": {"phone": HOSTILE},
        "folder": HOSTILE,
        "error": HOSTILE,
        "next": HOSTILE,
        "run": HOSTILE,
        "lists": [{"id": HOSTILE, "authority": HOSTILE, "valid_until": HOSTILE, "coverage": [HOSTILE]}],
        "findings": [{"code": HOSTILE, "severity": "error", "sentence": HOSTILE, "remedy": HOSTILE}],
        "reasons": {HOSTILE: 3},
        "versions": {"dialfeed": HOSTILE},
        "policy": {"flagged": HOSTILE, "do_not_call": HOSTILE, "map": {HOSTILE: HOSTILE}},
        "scrub": {"hours": {HOSTILE: HOSTILE}, "decisions": {HOSTILE: 1}, HOSTILE: HOSTILE},
        "sinks": [{"address": HOSTILE, "acknowledged": 1, "waiting": 0}],
        "retries": [{"run": HOSTILE, "rows": 1, "delivered": 1, "invalid": 0, "refused": 0}],
    }
    hostile = page(**changes)
    assert not list(hostile.root.all("script"))
    assert not list(hostile.root.all("img"))
    assert all(reference.startswith("#") for reference in hostile.references())
    assert "onload" not in {name for node in hostile.root.everything() for name in node.attributes}
    assert "{{ 7*7 }}" in hostile.root.text
    assert hostile.root.text.count("<script") > 10


def test_a_summary_of_an_older_version_is_drawn_as_well() -> None:
    old = told_runs.summary()
    for name in ("fields", "first_rows", "retries", "preflight"):
        del old[name]
    assert Page(render(old, [])).headings()


def test_an_empty_run_is_drawn() -> None:
    nothing = dict.fromkeys(told_runs.summary()["rows"], 0)
    told = page([told_runs.event(0, "run.started", command="import")], rows=nothing, reasons={}, warnings={})
    assert "Where every row went" in told.headings()
    assert [caption for caption in told.tables() if caption.startswith("Rows by")] == [], "no table of zeros"
    assert "Course of the delivery" not in told.headings()


def test_a_run_of_a_million_rows_and_a_hundred_thousand_batches_makes_a_small_page() -> None:
    rows = dict.fromkeys(told_runs.summary()["rows"], 1_000_000 // 7)
    rows["read"] = sum(rows.values()) - rows["read"]
    examples = {reason.code: [Example(n) for n in (999_997, 999_998, 999_999)] for reason in CATALOGUE}
    counts = {reason.code: 123_456 for reason in CATALOGUE}
    told = page(told_runs.delivery(20_000, size=10), examples, rows=rows, reasons=counts, warnings=counts)
    assert len(told.source.encode()) < 400_000, "the catalogue of reasons and their remedies is most of it"


def test_a_delivery_of_one_batch_has_no_picture_of_its_course() -> None:
    told = page(told_runs.delivery(1))
    captions = [caption for caption in told.tables() if caption.startswith(("The course", "How long"))]
    assert captions == []
    assert ["contacts in one", "1,000"] in told.table("Batches")
    assert "Course of the delivery" in told.headings()


def test_every_picture_has_words_and_a_table_and_every_section_its_heading() -> None:
    told = page(told_runs.delivery(600))
    pictures = [node for node in told.root.all("svg") if node.attributes.get("role") == "img"]
    assert len(pictures) == 8  # four, each wide and narrow
    assert all(node.attributes["aria-label"].endswith(".") for node in pictures)
    assert all(list(table.all("caption")) for table in told.root.all("table"))
    headings = {
        node.attributes["id"] for node in told.root.everything() if node.tag in {"h1", "h2"} and node.attributes
    }
    assert {node.attributes["aria-labelledby"] for node in told.root.all("section")} <= headings
    assert [len(list(told.root.all(tag))) for tag in ("main", "h1", "header", "footer", "nav")] == [1, 1, 1, 1, 1]


def test_a_bucket_is_told_by_a_pattern_and_not_by_colour_alone() -> None:
    told = page()
    patterns = {node.attributes["id"] for node in told.root.all("pattern")}
    style = next(told.root.all("style")).text
    for bucket in ("duplicate", "invalid", "suppressed", "refused", "failed", "unknown"):
        assert f"p-{bucket}" in patterns
        assert re.search(rf"\.k-{bucket} rect {{ fill: url\(#p-{bucket}\)", style)
