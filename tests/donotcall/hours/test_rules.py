"""The rules of calling hours as data: each has its source, counsel can replace them, and nothing is read half."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.donotcall.hours import rules
from dialfeed.donotcall.hours.rules import HourRules
from dialfeed.errors import FixSettings

DATA = resources.files("dialfeed.donotcall") / "data"

COUNSEL = """
[pack]
version = "counsel 7"

[[rule]]
jurisdiction = "US-CT"
mon_fri = ["09:00-21:00"]
sat = ["09:00-21:00"]
sun = []
source = "opinion of 2026-11-01"
mark = "H"
reviewed = 2026-11-01
"""


def tables_with_a_source(value: Any) -> Iterator[dict[str, Any]]:
    """Every table that a file states facts in."""
    if isinstance(value, dict):
        if "source" in value:
            yield value
        for each in value.values():
            yield from tables_with_a_source(each)
    elif isinstance(value, list):
        for each in value:
            yield from tables_with_a_source(each)


@pytest.mark.parametrize("name", ["hours.toml", "holidays.toml", "zones.toml", "zips.toml", "platform_hours.toml"])
def test_every_fact_has_its_source_its_mark_and_the_day_of_its_review(name: str) -> None:
    read = tomllib.loads((DATA / name).read_text("utf-8"))
    stated = list(tables_with_a_source(read))
    assert stated
    for table in stated:
        assert table["source"].strip()
        assert table["mark"] in {"H", "M", "L"}
        assert date(2026, 11, 1) <= table["reviewed"] <= date(2027, 12, 31)
    lists = [table for value in read.values() if isinstance(value, list) for table in value]
    assert all("source" in table for table in lists)


def test_every_stricter_state_of_the_charts_has_a_rule() -> None:
    stricter = "AL CT FL KY LA MA MD MI MN MS NM NV OK RI TX UT WA"
    named = {rule.jurisdiction for rule in HourRules.load().pack.rules}
    assert {f"US-{state}" for state in stricter.split()} <= named
    assert {"US", "CA", "GB", "AU", "FR", "*", "unknown"} <= named


def test_where_sources_disagree_both_hold_so_the_stricter_counts() -> None:
    rules = HourRules.load()
    found = rules.applying({"US-CT"}, date(2026, 11, 25))
    assert [(rule.jurisdiction, rule.mon_fri) for rule in found] == [
        ("US", ((480, 1260),)),
        ("US-CT", ((540, 1200),)),
        ("US-CT", ((540, 1260),)),
    ]


def test_a_country_without_rules_stands_under_those_for_any_country() -> None:
    rules = HourRules.load()
    day = date(2026, 11, 25)
    assert [rule.jurisdiction for rule in rules.applying({"DE"}, day)] == ["*"]
    assert [rule.jurisdiction for rule in rules.applying({"RE"}, day)] == ["FR"]
    assert [rule.jurisdiction for rule in rules.applying({"CA-ON", "US-TX"}, day)] == ["CA", "US", "US-TX"]


def test_florida_and_oklahoma_presume_by_area_code() -> None:
    rules = HourRules.load()
    assert [state for state in ("US-FL", "US-OK", "US-AL", "US") if rules.presumes(state)] == ["US-FL", "US-OK"]


def test_counsel_replaces_every_rule_of_a_jurisdiction_that_it_names(tmp_path: Path) -> None:
    file = tmp_path / "counsel.toml"
    file.write_text(COUNSEL, "utf-8")
    rules = HourRules.load(file)
    assert [rule.source for rule in rules.applying({"US-CT"}, date(2026, 11, 25))][1:] == ["opinion of 2026-11-01"]
    assert len(rules.pack.rules) == len(HourRules.load().pack.rules) - 1
    assert rules.facts()["counsel"] == "counsel 7"
    assert rules.facts()["counsel_sha256"] == hashlib.sha256(COUNSEL.encode()).hexdigest()
    assert rules.facts()["rule_pack_sha256"] == HourRules.load().facts()["rule_pack_sha256"]


def test_counsel_can_close_a_jurisdiction_for_some_days() -> None:
    closed = """
[pack]
version = "1"
[[closed]]
jurisdiction = "US-LA"
first = 2026-11-24
last = 2026-11-25
because = "state of emergency"
source = "LPSC notice"
mark = "H"
reviewed = 2026-11-24
"""
    rules = HourRules.load().with_counsel(closed.encode(), "counsel.toml")
    rule = rules.applying({"US-LA"}, date(2026, 11, 25))[1]
    assert [rules.stretches(rule, date(2026, 11, day)) for day in (23, 24, 25)] == [((480, 1200),), (), ()]
    assert rules.closing(rule, date(2026, 11, 24)) == "state of emergency"
    assert rules.stretches(rule, date(2026, 11, 26)) == ()  # Thanksgiving, as ever


def test_counsel_can_make_the_area_code_count_only_where_a_law_says_so() -> None:
    text = '[pack]\nversion = "1"\n[policy]\narea_code_states = "presuming"\n'
    rules = HourRules.load().with_counsel(text.encode(), "counsel.toml")
    assert rules.pack.area_code_states == "presuming"
    assert rules.pack.unknown == "narrow"


def test_a_rule_holds_from_its_first_to_its_last_day() -> None:
    text = COUNSEL + "first = 2026-11-10\nlast = 2026-11-12\n"
    rules = HourRules.load().with_counsel(text.encode(), "counsel.toml")
    days = [day for day in range(8, 15) if len(rules.applying({"US-CT"}, date(2026, 11, day))) == 2]
    assert days == [10, 11, 12]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("source", "sauce"), "no source"),
        (('mark = "H"', 'mark = "sure"'), "the mark 'sure'"),
        (("reviewed = 2026-11-01", 'reviewed = "soon"'), "which is no date"),
        (("reviewed = 2026-11-01\n", ""), "no reviewed"),
        (("09:00-21:00", "9-21"), "they are written as 08:00-21:00"),
        (("09:00-21:00", "21:00-09:00"), "end before they begin"),
        (("US-CT", "Connecticut"), "is no jurisdiction"),
        (("sun = []", "sunday = []"), "no sun"),
        (("sun = []", 'sun = []\nclock = "America/Hartford"'), "no zone of the IANA database"),
        (("sun = []", 'sun = []\nholidays = "US-CT"'), "which are not there"),
        (("sun = []", 'sun = []\npresumes = "hair colour"'), "presumes"),
        (("[[rule]]", "[[ruel]]"), "no table 'ruel'"),
        (("[[rule]]", "[[rule"), "it is not TOML"),
        (("sun = []", "sun = []\ncalls_per_day = 'three'"), "which is no whole number"),
        (("sun = []", "sun = []\nlast = '2026'"), "which is no date"),
        (("sun = []", "sun = []\ncovers = 'FR'"), "which is no list"),
        (("sun = []", "sun = 5"), "which is no list"),
        (("[[rule]]", "[rule]"), "rule is no table"),
        (('version = "counsel 7"', "version = 7"), "which is no text"),
        (('version = "counsel 7"', ""), "no [pack] with a version"),
        (("[[rule]]", '[policy]\nunknown = "guess"\n[[rule]]'), "no policy unknown"),
    ],
)
def test_a_rule_of_counsel_that_is_not_whole_is_refused_in_a_sentence(change: tuple[str, str], told: str) -> None:
    text = COUNSEL.replace(*change)
    with pytest.raises(FixSettings, match="not whole") as refused:
        HourRules.load().with_counsel(text.encode(), "counsel.toml")
    assert told in str(refused.value)


WORDS = st.sampled_from(
    ["rule", "pack", "jurisdiction", "US-CT", "mon_fri", "source", "days", "calendar", "08:00-21:00"]
)
VALUES = st.recursive(
    WORDS.map(lambda word: f'"{word}"') | st.sampled_from(["5", "true", "2026-11-26", "1.5", "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda some: f"[{', '.join(some)}]"),
    max_leaves=5,
)
LINES = st.one_of(
    st.sampled_from(
        [
            "[pack]",
            "[[rule]]",
            "[rule]",
            "[[calendar]]",
            "[[closed]]",
            "[policy]",
            'version = "1"',
            *COUNSEL.splitlines(),
        ]
    ),
    st.tuples(WORDS, VALUES).map(lambda pair: f'"{pair[0]}" = {pair[1]}'),
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=12).map("\n".join))
def test_whatever_a_file_of_counsel_holds_it_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        rules = HourRules.load().with_counsel(text.encode(), "counsel.toml")
    except FixSettings:
        return
    assert rules.applying({"US-CT"}, date(2026, 11, 25))


def test_a_file_of_counsel_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FixSettings, match="cannot be read"):
        HourRules.load(tmp_path / "nothing.toml")


def test_the_facts_name_every_version_that_an_answer_depends_on() -> None:
    facts = HourRules.load().facts()
    assert all(
        facts[key] for key in ("rule_pack", "rule_pack_sha256", "review_due", "tzdata", "phonenumbers", "zip_table")
    )
    assert len(facts["rule_pack_sha256"]) == 64


def test_the_sha256_of_the_pack_covers_every_data_file() -> None:
    content = {name: (DATA / name).read_bytes() for name in rules.DATA_FILES}
    whole = rules._digest(content)
    for name, data in content.items():
        assert rules._digest({**content, name: data + b"#"}) != whole
