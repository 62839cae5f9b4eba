"""A list clears a number only where it was checked; whatever is wrong with it is told, and clears nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest
from list_world import DAY, SECOND, START, Lists, asked_out, names, numbers, phones, texts, us

from dialfeed.donotcall.manifest import MANIFEST, DamagedList

UK = 442079460123
MONTH = timedelta(days=31)


def test_a_number_is_listed_clear_not_covered_or_outside(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)), coverage=("212",))
    asked = lists.ask("us-national", us(212), us(212, 101), us(415), UK)
    assert asked == ["LISTED", "CLEAR", "NOT_COVERED", "OUTSIDE"]


def test_canada_is_outside_of_a_list_of_the_united_states(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    lists.add("ca-national", "ca", phones(us(416)))
    assert lists.ask("us-national", us(416, 101)) == ["OUTSIDE"]
    assert lists.ask("ca-national", us(416, 101), us(416), us(212)) == ["CLEAR", "LISTED", "OUTSIDE"]


def test_a_number_on_a_list_is_listed_wherever_it_is_at_home(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(416)))
    assert lists.ask("us-national", us(416)) == ["LISTED"]


@pytest.mark.parametrize(
    ("authority", "age", "number"),
    [("us", 31, us(212)), ("ca", 31, us(416)), ("uk", 28, UK)],
)
def test_a_list_clears_until_its_age_limit_and_not_a_second_longer(
    lists: Lists, authority: str, age: int, number: int
) -> None:
    lists.add("national", authority, phones(number), at=START)
    last = START + timedelta(days=age)
    assert lists.ask("national", number + 1, number, now=last) == ["CLEAR", "LISTED"]
    assert lists.ask("national", number + 1, number, now=last + SECOND) == ["STALE", "STALE"]


def test_a_list_from_the_future_has_an_age_that_nobody_knows(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    assert lists.ask("us-national", us(212, 101), now=START - SECOND) == ["STALE"]


def test_a_stale_list_says_nothing_of_other_countries(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212), us(416)))
    assert lists.ask("us-national", us(416, 101), us(416), now=START + 2 * MONTH) == ["OUTSIDE", "LISTED"]


@pytest.mark.parametrize("name", ["nowhere", "../lists/us-national", "", "US", "."])
def test_a_list_that_is_missing_blocks_every_channel(lists: Lists, name: str) -> None:
    lists.add("us-national", "us", phones(us(212)))
    opened = lists.store.open([name], now=START)
    assert names(opened.phone[0].look_up(numbers(us(212), UK))) == ["MISSING", "MISSING"]
    someone = pl.Series(["someone@example.com", None])
    assert [names(one.look_up(someone)) for one in (*opened.email, *opened.account)] == [["MISSING", "OUTSIDE"]] * 2
    assert [facts.state for facts in opened.facts] == ["missing"]


@pytest.mark.parametrize("fault", [OSError(5, "Input/output error"), DamagedList("torn")])
def test_an_internal_list_that_cannot_be_opened_blocks_phones_and_addresses(
    lists: Lists, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    lists.opt_out(asked_out(us(212)))

    def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr("dialfeed.donotcall.opening.InternalList", broken)
    opened = lists.store.open(["internal"], now=START)
    assert [names(one.look_up(numbers(us(212), UK))) for one in opened.phone] == [["DAMAGED", "DAMAGED"]]
    assert [names(one.look_up(pl.Series(["someone@example.com"]))) for one in opened.email] == [["DAMAGED"]]
    assert [facts.state for facts in opened.facts] == ["damaged"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"checksum": "0", "list": {}}', b"\xff\xfe"])
def test_a_damaged_description_blocks_every_channel(lists: Lists, content: bytes) -> None:
    lists.add("us-national", "us", phones(us(212)))
    (lists.store.folder("us-national") / MANIFEST).write_bytes(content)
    opened = lists.store.open(["us-national"], now=START)
    assert names(opened.phone[0].look_up(numbers(us(212, 101)))) == ["DAMAGED"]
    assert names(opened.email[0].look_up(pl.Series(["someone@example.com"]))) == ["DAMAGED"]


def test_one_changed_sign_in_a_description_is_seen(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)), coverage=("212",))
    path = lists.store.folder("us-national") / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"212"', b'"415"'))
    assert lists.ask("us-national", us(415)) == ["DAMAGED"]


def test_a_lost_description_is_damage_and_no_empty_place(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    (lists.store.folder("us-national") / MANIFEST).unlink()
    assert lists.ask("us-national", us(212, 101)) == ["DAMAGED"]
    assert lists.store.ids() == ["us-national"]


@pytest.mark.parametrize("harm", ["cut", "gone", "flipped", "another"])
def test_a_damaged_index_clears_nobody_in_its_territory(lists: Lists, harm: str) -> None:
    lists.add("us-national", "us", phones(us(212), us(213)))
    lists.add("other", "us", phones(us(212)))
    path = lists.store.folder("us-national") / "v000001.index"
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        other = (lists.store.folder("other") / "v000001.index").read_bytes()
        path.write_bytes({"cut": whole[:-9], "flipped": b"\0" * 20 + whole[20:], "another": other}[harm])
    assert lists.ask("us-national", us(212, 101), UK) == ["DAMAGED", "OUTSIDE"]


def test_a_damaged_list_of_texts_blocks_all_of_them(lists: Lists) -> None:
    lists.add("unsubscribed", "custom", texts("someone@example.com"), channel="email")
    path = lists.store.folder("unsubscribed") / "v000001.arrow"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert lists.ask_email("unsubscribed", "other@example.com", None) == ["DAMAGED", "OUTSIDE"]


def test_emails_are_compared_in_any_case_and_accounts_exactly(lists: Lists) -> None:
    lists.add("unsubscribed", "custom", texts("Someone@Example.com"), channel="email")
    lists.add("closed", "custom", texts("A-1"), channel="account")
    assert lists.ask_email("unsubscribed", "sOMEONE@example.COM", "other@example.com") == ["LISTED", "CLEAR"]
    (accounts,) = lists.store.open(["closed"], now=START).account
    assert names(accounts.look_up(pl.Series(["A-1", "a-1", None]))) == ["LISTED", "CLEAR", "OUTSIDE"]


def test_texts_age_where_the_user_says_so(lists: Lists) -> None:
    lists.add("unsubscribed", "custom", texts("a@example.com"), channel="email", max_age=DAY)
    assert lists.ask_email("unsubscribed", "b@example.com", "a@example.com", now=START + DAY) == ["CLEAR", "LISTED"]
    assert lists.ask_email("unsubscribed", "b@example.com", now=START + DAY + SECOND) == ["STALE"]


def test_company_lists_clear_only_where_no_register_is_named(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    lists.add("litigators", "litigator", phones(us(213)))
    lists.opt_out(asked_out(us(214)))
    alone = lists.store.open(["litigators", "internal"], now=START).phone
    assert [one.clears for one in alone] == [True, True]
    together = lists.store.open(["litigators", "us-national", "internal"], now=START).phone
    assert [one.clears for one in together] == [False, True, False]


def test_a_states_list_speaks_of_its_area_codes_and_of_whoever_lives_there(lists: Lists) -> None:
    lists.add("florida", "state:FL", phones(us(305)), max_age=90 * DAY)
    sought = (us(305), us(305, 101), us(212), us(212), us(212), us(212), us(416))
    lives = ["NY", None, "FL", "florida ", "NY", None, "FL"]
    told = ["LISTED", "CLEAR", "CLEAR", "CLEAR", "OUTSIDE", "OUTSIDE", "OUTSIDE"]
    assert lists.ask("florida", *sought, states=lives) == told
    assert lists.ask("florida", us(305, 101), us(212)) == ["CLEAR", "OUTSIDE"]


def test_the_facts_hold_what_the_evidence_needs(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)), coverage=("212",), by="Ann", account="1234567890")
    facts = lists.store.open(["us-national"], now=START).facts[0].as_dict()
    assert facts["list_id"] == "us-national"
    assert facts["valid_until"] == "2026-12-02T08:00:00Z"
    assert facts["obtained_at"] == "2026-11-01T08:00:00Z"
    assert (facts["account"], facts["obtained_by"], facts["coverage"]) == ("…90", "Ann", ["212"])
    assert len(facts["sha256"]) == 64


def test_a_run_is_valid_until_its_first_list_expires(lists: Lists) -> None:
    lists.add("us-national", "us", phones(us(212)))
    lists.add("uk", "uk", phones(UK))
    lists.opt_out(asked_out(us(214)))
    opened = lists.store.open(["us-national", "uk", "internal"], now=START)
    assert opened.valid_until == datetime.fromisoformat("2026-11-29T08:00:00Z")
