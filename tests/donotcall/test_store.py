"""Lists are added, replaced, changed and removed in one step, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from list_world import DAY, START, WHOLE, Lists, answers, asked_out, changes, names, numbers, phones, texts, us

from dialfeed.donotcall import changing, opening
from dialfeed.donotcall.areas import nation_codes
from dialfeed.donotcall.facts import Verdict
from dialfeed.donotcall.folders import locked
from dialfeed.donotcall.intake import Acceptance, Obtained
from dialfeed.donotcall.regimes import regime_of
from dialfeed.errors import CheckFile, DialfeedError, FixSettings

NOW = START + DAY + timedelta(hours=1)


# --- adding and replacing ---------------------------------------------------------------------------------------------


def test_a_run_that_has_a_version_open_keeps_it(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)), accepts=WHOLE)
    (before,) = lists.store.open(["us-national"], now=NOW).phone
    lists.update("us-national", phones(us(213)), accepts=WHOLE)
    assert names(before.look_up(numbers(us(212), us(213)))) == ["LISTED", "CLEAR"]
    assert lists.ask("us-national", us(212), us(213), now=NOW) == ["CLEAR", "LISTED"]


def test_only_the_facts_of_a_replaced_version_stay(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(213)), accepts=WHOLE)
    lists.update("us-national", phones(us(213)), accepts=WHOLE)
    assert lists.files("us-national") == [".lock", "list.json", "v000002.index"]
    (past,) = lists.store.manifest("us-national").past
    assert (past.number, past.records, len(past.sha256), past.obtained_at) == (1, 2, 64, START)
    assert past.replaced_at == NOW


def test_a_list_that_is_there_is_not_added_again(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    with pytest.raises(FixSettings, match="already"):
        lists.add("us-national", "us", phones(us(213)))
    assert lists.ask("us-national", us(212)) == ["LISTED"]


@pytest.mark.parametrize("name", ["", "../us", "US", "a/b", "-x", "x" * 65])
def test_a_name_that_leads_elsewhere_is_refused(lists: Lists, name: str) -> None:
    with pytest.raises(FixSettings, match="no name"):
        lists.add(name, "us", phones(us(212)))
    with pytest.raises(FixSettings, match="no name"):
        lists.store.optouts(name, "tester")


def test_a_list_from_the_future_is_refused(lists: Lists) -> None:
    with pytest.raises(FixSettings, match="future"):
        lists.add("us-national", "us", phones(us(212)), at=START + timedelta(seconds=1), now=START)
    lists.add("us-national", "us", phones(us(212)), at=START, now=START)


def test_an_older_list_does_not_replace_a_newer_one(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    with pytest.raises(FixSettings, match="obtained later"):
        lists.update("us-national", phones(us(213)), at=START - DAY)


def test_a_malformed_line_is_refused_until_a_person_accepts_it(lists: Lists) -> None:
    with pytest.raises(CheckFile, match=r"2 lines .*line 1: no number; line 2") as refusal:
        lists.add("us-national", "us", phones(us(212), malformed=2), accepts=Acceptance(1, because="typo", by="Ann"))
    assert "--accept-malformed 2" in refusal.value.advice
    assert lists.ask("us-national", us(212)) == ["MISSING"]
    lists.add("us-national", "us", phones(us(212), malformed=2), accepts=Acceptance(2, because="typo", by="Ann"))
    facts = lists.store.open(["us-national"], now=NOW).facts[0]
    assert facts.malformed == 2
    assert facts.accepted == ({"malformed": 2, "because": "typo", "by": "Ann", "at": "2026-11-01T09:00:00Z"},)


def test_a_refused_update_changes_nothing(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)), accepts=WHOLE)
    with pytest.raises(CheckFile):
        lists.update("us-national", phones(us(213), malformed=1), accepts=WHOLE)
    assert lists.ask("us-national", us(212), us(213)) == ["LISTED", "CLEAR"]
    assert lists.files("us-national") == [".lock", "list.json", "v000001.index"]


def test_a_covered_area_code_without_a_number_is_refused_until_a_person_accepts_it(lists: Lists) -> None:
    with pytest.raises(CheckFile, match="Area code 213 has no number"):
        lists.add("us-national", "us", phones(us(212)), coverage=("212", "213"))
    accepts = Acceptance(empty=True, because="new code", by="Ann")
    lists.add("us-national", "us", phones(us(212)), coverage=("212", "213"), accepts=accepts)
    assert lists.ask("us-national", us(213)) == ["CLEAR"]
    assert lists.store.open(["us-national"], now=NOW).facts[0].accepted[0]["empty"] == ["213"]


def test_all_of_a_nation_is_covered_where_it_has_a_number_and_elsewhere_only_if_a_person_accepts_it(
    lists: Lists,
) -> None:
    put, others = (
        lists.add("us-national", "us", phones(us(212), us(415))),
        len(nation_codes(regime_of("us").territory)) - 2,
    )
    assert [warning.partition(" of the nation")[0] for warning in put.warnings] == [f"{others} area codes"]
    assert lists.ask("us-national", us(212, 101), us(305)) == ["CLEAR", "NOT_COVERED"]
    put = lists.update("us-national", phones(us(212), us(415)), coverage=None, accepts=WHOLE)
    assert put.manifest.current is not None
    assert (put.warnings, len(put.manifest.current.accepted[0]["empty"])) == ((), others)
    assert lists.ask("us-national", us(212, 101), us(305)) == ["CLEAR", "CLEAR"]


def test_a_nation_of_which_every_area_code_has_a_number_is_covered(lists: Lists) -> None:
    put = lists.add("national", "ca", phones(*(us(int(code)) for code in nation_codes(("CA",)))))
    assert put.warnings == ()
    assert put.manifest.current is not None
    assert put.manifest.current.coverage is None


def test_an_area_code_that_was_covered_is_not_lost_where_all_of_a_nation_is_said(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(415)))
    with pytest.raises(CheckFile, match="Area code 415 has no number"):
        lists.update("us-national", phones(us(212)), coverage=None)
    lists.update("us-national", phones(us(212), us(305), us(415)), coverage=None)
    assert lists.ask("us-national", us(305, 101), us(415)) == ["CLEAR", "LISTED"]


def test_an_empty_register_is_refused_and_an_empty_company_list_is_not(lists: Lists) -> None:
    with pytest.raises(CheckFile, match="no number in it"):
        lists.add("us-national", "us", phones())
    lists.add("litigators", "litigator", phones())
    assert lists.ask("litigators", us(212)) == ["CLEAR"]


def test_numbers_of_area_codes_that_are_not_covered_are_refused(lists: Lists) -> None:
    with pytest.raises(CheckFile, match=r"1 area code that it is not said to cover \(415\)"):
        lists.add("us-national", "us", phones(us(212), us(415)), coverage=("212",))


@pytest.mark.parametrize(
    ("authority", "numbers_of_others"),
    [("ca", [us(212)]), ("us", [us(416)]), ("uk", [us(212), 61491570156]), ("state:FL", [us(212)])],
)
def test_a_list_without_a_number_of_its_authority_is_refused(
    lists: Lists, authority: str, numbers_of_others: list[int]
) -> None:
    with pytest.raises(CheckFile, match=f"No number of the list is one of {authority}"):
        lists.add("wrong", authority, phones(*numbers_of_others), max_age=30 * DAY if ":" in authority else None)


def test_a_list_may_hold_some_numbers_of_others(lists: Lists) -> None:
    lists.add("florida", "state:FL", phones(us(212), us(305)), max_age=30 * DAY)
    lists.add("tps", "uk", phones(441481960100, 442079460100))
    lists.add("not-in-the-plan", "uk", phones(441632960100))  # it may be a range that was opened yesterday
    assert lists.ask("florida", us(212), us(305)) == ["LISTED", "LISTED"]


@pytest.mark.parametrize("coverage", [("416",), ("12",), ("212", "x"), ("1212",)])
def test_area_codes_of_other_countries_are_refused(lists: Lists, coverage: tuple[str, ...]) -> None:
    with pytest.raises(FixSettings, match="--covers names an area code"):
        lists.add("us-national", "us", phones(us(212)), coverage=coverage)


def test_a_states_list_needs_its_age_limit_and_a_register_may_only_have_a_shorter_one(lists: Lists) -> None:
    with pytest.raises(FixSettings, match="is not known"):
        lists.add("florida", "state:FL", phones(us(305)))
    with pytest.raises(FixSettings, match="31 days old at most"):
        lists.add("us-national", "us", phones(us(212)), max_age=32 * DAY)
    lists.add("us-national", "us", phones(us(212)), max_age=10 * DAY)
    assert lists.ask("us-national", us(212, 101), now=START + 10 * DAY) == ["CLEAR"]
    assert lists.ask("us-national", us(212, 101), now=START + 11 * DAY) == ["STALE"]


def test_an_update_keeps_what_is_not_said_anew(lists: Lists) -> None:
    lists.add("florida", "state:FL", phones(us(305)), max_age=90 * DAY, coverage=("305",), account="SAN-12345")
    lists.update("florida", phones(us(305, 101)))
    version = lists.store.manifest("florida").current
    assert version is not None
    assert (version.max_age, version.coverage, version.account) == (90 * 86400, ("305",), "…45")


@pytest.mark.parametrize("authority", ["nowhere", "state:WI", "state", "us:CA", "pack", "deadline"])
def test_an_authority_that_is_not_known_is_refused(lists: Lists, authority: str) -> None:
    with pytest.raises(FixSettings):
        lists.add("some", authority, phones(us(212)))


def test_what_an_authority_does_not_list_is_refused(lists: Lists) -> None:
    with pytest.raises(FixSettings, match="holds no email"):
        lists.add("us-national", "us", texts("a@example.com"), channel="email")


def test_a_list_that_is_much_smaller_than_before_is_refused_until_a_person_accepts_it(lists: Lists) -> None:
    many = [us(code, line) for line in range(100, 200) for code in (212, 213, 214, 215, 216, 217, 218, 219, 224, 225)]
    lists.add("us-national", "us", phones(*many))
    with pytest.raises(CheckFile, match="has 899 records, and had 1,000 before"):
        lists.update("us-national", phones(*many[:899]))
    lists.update("us-national", phones(*many[:900]))
    put = lists.update("us-national", phones(*many[:10]), at=START + 2 * DAY,
                       accepts=Acceptance(smaller=True, because="moved", by="Ann"))  # fmt: skip
    assert put.manifest.current is not None
    assert put.manifest.current.records == 10  # the version before had fewer than 1,000


# --- some area codes --------------------------------------------------------------------------------------------------


def test_some_area_codes_are_replaced_and_the_others_stay(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(213)), coverage=("212", "213"))
    lists.update("us-national", phones(us(212, 101), us(415)), areas=True, coverage=("212", "415"))
    asked = lists.ask("us-national", us(212), us(212, 101), us(213), us(415), us(646), now=NOW)
    assert asked == ["CLEAR", "LISTED", "LISTED", "LISTED", "NOT_COVERED"]


def test_a_list_made_of_parts_is_as_old_as_its_oldest(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(213)), coverage=("212", "213"))
    lists.update("us-national", phones(us(212)), areas=True, coverage=("212",), at=START + DAY)
    assert lists.store.open(["us-national"], now=NOW).facts[0].obtained_at == START
    lists.update("us-national", phones(us(213)), areas=True, coverage=("213",), at=START + 2 * DAY)
    assert lists.store.open(["us-national"], now=START + 3 * DAY).facts[0].obtained_at == START + DAY


def test_a_texts_list_is_replaced_as_a_whole(lists: Lists) -> None:
    lists.add("unsubscribed", "custom", texts("a@example.com"), channel="email")
    with pytest.raises(DialfeedError):
        lists.update("unsubscribed", texts("b@example.com"), areas=True, coverage=("212",))
    lists.update("unsubscribed", texts("b@example.com"))
    assert lists.ask_email("unsubscribed", "a@example.com", "b@example.com", now=NOW) == ["CLEAR", "LISTED"]


# --- change lists -----------------------------------------------------------------------------------------------------


def test_a_change_list_is_applied_to_the_version_on_record_once_its_layout_is_confirmed(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(213)))
    change = changes(added=[us(212, 101)], removed=[us(213)])
    told = Obtained(START + DAY, same_coverage=True)
    with pytest.raises(CheckFile, match="number, time, action"):
        lists.store.change("us-national", change, told, NOW, base=1)
    with pytest.raises(CheckFile, match="version 1, not 2"):
        lists.store.change("us-national", change, told, NOW, base=2, confirmed=True)
    put = lists.store.change("us-national", change, told, NOW, base=1, confirmed=True)
    assert put.warnings == ()
    assert lists.ask("us-national", us(212), us(212, 101), us(213), now=NOW) == ["LISTED", "LISTED", "CLEAR"]
    lists.store.change("us-national", change, told, NOW, base=2)  # the layout is known by now
    with pytest.raises(CheckFile, match="looks like this"):
        lists.store.change("us-national", changes(layout="action, number"), told, NOW, base=3)


def test_a_change_list_makes_no_list_younger(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)), accepts=WHOLE)
    lists.store.change("us-national", changes(added=[us(213)]), Obtained(START + 30 * DAY, same_coverage=True),
                       START + 30 * DAY, base=1, confirmed=True)  # fmt: skip
    assert lists.ask("us-national", us(213), us(213, 101), now=START + 31 * DAY) == ["LISTED", "CLEAR"]
    assert lists.ask("us-national", us(213, 101), now=START + 32 * DAY) == ["STALE"]


def test_a_change_list_that_ends_before_one_that_was_applied_is_refused(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    late = changes(added=[us(212, 101)], until="2026-11-02T08:00:00.000000")
    told = Obtained(START + DAY, same_coverage=True)
    lists.store.change("us-national", late, told, NOW, base=1, confirmed=True)
    early = changes(removed=[us(212, 101)], until="2026-11-01T08:00:00.000000")
    with pytest.raises(CheckFile, match="in the order of their times"):
        lists.store.change("us-national", early, told, NOW, base=2)
    assert lists.ask("us-national", us(212, 101), now=NOW) == ["LISTED"]


def test_what_a_change_list_has_added_is_not_taken_back_by_an_older_file(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(415)), coverage=("212", "415"))
    told, between = Obtained(START + DAY, same_coverage=True), START + DAY / 2
    lists.store.change("us-national", changes(added=[us(212, 101)]), told, NOW, base=1, confirmed=True)
    older: dict[str, Callable[[], object]] = {
        "a whole list": lambda: lists.update("us-national", phones(us(212), us(415)), at=between),
        "an area code": lambda: lists.update("us-national", phones(us(212)), at=between, areas=True, coverage=("212",)),
        "changes": lambda: lists.store.change(
            "us-national", changes(), Obtained(between, same_coverage=True), NOW, base=2
        ),
    }
    for what, put in older.items():
        with pytest.raises(FixSettings, match="obtained later"):
            put()
        assert lists.ask("us-national", us(212, 101), now=NOW) == ["LISTED"], what


def test_an_area_code_is_not_replaced_by_an_older_one_whatever_the_others_are(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(415)), coverage=("212", "415"))
    lists.update("us-national", phones(us(415, 101)), at=START + 3 * DAY, areas=True, coverage=("415",))
    lists.update("us-national", phones(us(212, 101)), at=START + 2 * DAY, areas=True, coverage=("212",))
    with pytest.raises(FixSettings, match="obtained later"):
        lists.update("us-national", phones(us(415)), at=START + 2 * DAY, areas=True, coverage=("415",))
    told = lists.ask("us-national", us(415, 101), us(212, 101), now=START + 4 * DAY)
    assert told == ["LISTED", "LISTED"]


def test_the_delete_of_an_absent_number_is_a_warning(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    put = lists.store.change("us-national", changes(removed=[us(213)]), Obtained(START, same_coverage=True), NOW,
                             base=1, confirmed=True)  # fmt: skip
    assert put.warnings == ("1 number to remove was not on the list: an earlier change list may be missing.",)
    assert lists.store.open(["us-national"], now=NOW).facts[0].base_version == 1


def test_a_full_list_after_changes_reports_the_difference(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)), accepts=WHOLE)
    lists.store.change("us-national", changes(added=[us(213)]), Obtained(START, same_coverage=True), NOW, base=1,
                       confirmed=True)  # fmt: skip
    put = lists.update("us-national", phones(us(212), us(415), us(415, 101)), accepts=WHOLE)
    assert len(put.warnings) == 1
    assert "2 numbers more and 1 fewer" in put.warnings[0]
    assert put.manifest.current is not None
    assert put.manifest.current.rebased == (2, 1)
    assert lists.update("us-national", phones(us(212)), at=START + 2 * DAY, accepts=WHOLE).warnings == ()


# --- results ----------------------------------------------------------------------------------------------------------

BEFORE = (START - 40 * DAY).date()
AU = 61491570006


def test_a_number_that_was_not_submitted_was_not_checked(lists: Lists) -> None:
    lists.add("au", "au", answers((AU, Verdict.LISTED, None), (AU + 1, Verdict.CLEAR, None)))
    assert lists.ask("au", AU, AU + 1, 61491570156, us(212)) == ["LISTED", "CLEAR", "NOT_COVERED", "OUTSIDE"]
    assert lists.ask("au", AU, AU + 1, now=START + 31 * DAY) == ["STALE", "STALE"]


def test_a_reassigned_number_is_listed_and_no_data_is_no_answer(lists: Lists) -> None:
    rows = [(us(212), Verdict.LISTED, BEFORE), (us(213), Verdict.CLEAR, BEFORE), (us(214), Verdict.NO_DATA, BEFORE)]
    lists.add("rnd", "reassigned", answers(*rows))
    told = lists.ask("rnd", us(212), us(213), us(214), us(215))
    assert told == ["LISTED", "CLEAR", "NO_DATA", "NOT_COVERED"]


def test_the_strictest_answer_counts_and_the_earliest_date_of_it(lists: Lists) -> None:
    rows = [(us(212), Verdict.CLEAR, BEFORE), (us(212), Verdict.CLEAR, BEFORE - 9 * DAY),
            (us(213), Verdict.CLEAR, BEFORE - DAY), (us(213), Verdict.LISTED, BEFORE)]  # fmt: skip
    lists.add("rnd", "reassigned", answers(*rows))
    (one,) = lists.store.open(["rnd"], now=NOW).phone
    assert names(one.look_up(numbers(us(212), us(213)))) == ["CLEAR", "LISTED"]
    dates = one.asked_for(numbers(us(212), us(213), us(214)))  # type: ignore[attr-defined]
    assert [None if np.isnat(date) else date.item() for date in dates] == [BEFORE - 9 * DAY, BEFORE, None]


@pytest.mark.parametrize("late", [0, 1, 30])
def test_answers_for_the_day_they_came_or_later_are_refused(lists: Lists, late: int) -> None:
    with pytest.raises(CheckFile, match='always answered "no"'):
        lists.add("rnd", "reassigned", answers((us(212), Verdict.CLEAR, START.date() + late * DAY)))
    assert lists.ask("rnd", us(212)) == ["MISSING"]


def test_answers_of_the_reassigned_numbers_database_need_a_date(lists: Lists) -> None:
    with pytest.raises(CheckFile, match="for which date"):
        lists.add("rnd", "reassigned", answers((us(212), Verdict.CLEAR, None)))


def test_a_french_result_clears_nobody_once_the_law_asks_for_consent(lists: Lists) -> None:
    paris, obtained = 33199000000, datetime(2026, 8, 1, tzinfo=UTC)
    lists.add("bloctel", "fr", answers((paris, Verdict.CLEAR, None)), at=obtained)
    ends = datetime(2026, 8, 11, tzinfo=UTC)
    assert lists.ask("bloctel", paris, now=ends) == ["CLEAR"]
    assert lists.ask("bloctel", paris, now=ends + timedelta(seconds=1)) == ["STALE"]
    with pytest.raises(FixSettings, match="clears anybody"):
        lists.update("bloctel", answers((paris, Verdict.CLEAR, None)), at=ends)


# --- two at once, and the end -----------------------------------------------------------------------------------------


def test_one_process_at_a_time_changes_a_list(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    with locked(lists.store.folder("us-national")), pytest.raises(CheckFile, match="Another process"):
        lists.update("us-national", phones(us(213)))
    assert lists.ask("us-national", us(212)) == ["LISTED"]


def test_a_removed_list_is_missing_and_its_facts_stay(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    lists.store.remove("us-national", NOW, by="Ann", because="licence ended")
    assert lists.ask("us-national", us(212)) == ["MISSING"]
    assert lists.store.ids() == []
    assert lists.files("us-national") == [".lock", "list.json"]
    lists.add("us-national", "us", phones(us(212)), at=START + 2 * DAY)
    manifest = lists.store.manifest("us-national")
    assert [version.number for version in manifest.past] == [1]
    assert manifest.current is not None
    assert manifest.current.number == 2


def test_a_damaged_list_can_be_removed_and_added_again(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    (lists.store.folder("us-national") / "list.json").write_text("{")
    with pytest.raises(CheckFile, match="damaged"):
        lists.update("us-national", phones(us(213)))
    lists.store.remove("us-national", NOW, by="Ann")
    lists.add("us-national", "us", phones(us(213)))
    assert lists.ask("us-national", us(213)) == ["LISTED"]


def test_opt_outs_are_not_removed_without_a_reason_and_are_kept(lists: Lists) -> None:
    lists.opt_out(asked_out(us(212)))
    with pytest.raises(FixSettings, match="do not lapse"):
        lists.store.remove("internal", NOW, by="Ann")
    lists.store.remove("internal", NOW, by="Ann", because="moved")
    kept = [name for name in lists.files("internal") if name.startswith(".removed-")]
    assert len(kept) == 1
    assert lists.ask("internal", us(212)) == ["MISSING"]
    lists.opt_out(asked_out(us(213)))
    assert lists.ask("internal", us(212), us(213)) == ["CLEAR", "LISTED"]


def test_a_list_that_is_not_there_cannot_be_updated_or_removed(lists: Lists) -> None:
    with pytest.raises(FixSettings, match="There is no list"):
        lists.update("us-national", phones(us(212)))
    with pytest.raises(FixSettings, match="There is no list"):
        lists.store.remove("us-national", NOW, by="Ann")


def test_a_list_that_is_replaced_while_it_is_opened_is_opened_anew(lists: Lists, monkeypatch: Any) -> None:
    lists.add("us-national", "us", phones(us(212)), accepts=WHOLE)
    plain, calls = opening._content, []

    def replaced(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            lists.update("us-national", phones(us(213)), accepts=WHOLE)
        return plain(*arguments, **named)

    monkeypatch.setattr(opening, "_content", replaced)
    assert lists.ask("us-national", us(212), us(213), now=NOW) == ["CLEAR", "LISTED"]
    assert len(calls) == 2


@pytest.mark.parametrize("where", ["write_manifest", "take_phones"])
def test_a_full_disk_is_told_in_a_sentence_and_changes_nothing(lists: Lists, monkeypatch: Any, where: str) -> None:
    lists.add("us-national", "us", phones(us(212)), accepts=WHOLE)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(changing, where, full)
        with pytest.raises(FixSettings, match="No space left"):
            lists.update("us-national", phones(us(213)), accepts=WHOLE)
    assert lists.ask("us-national", us(212), us(213)) == ["LISTED", "CLEAR"]
    lists.update("us-national", phones(us(213)), accepts=WHOLE)
    assert lists.files("us-national") == [".lock", "list.json", "v000002.index"]
