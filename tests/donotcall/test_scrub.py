"""The scrub over columns: what leaves, what is withheld, what takes its place, and what is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from list_world import START, Lists, answers, asked_out
from listed import Listed, ListedTexts

from dialfeed.contacts.findings import ROW
from dialfeed.donotcall.decisions import Policy
from dialfeed.donotcall.exemptions import Exemptions
from dialfeed.donotcall.facts import Opened, Verdict
from dialfeed.donotcall.objections import Objections
from dialfeed.donotcall.packedwords import Fact, flagged_elsewhere
from dialfeed.donotcall.scrub import Flagged, Scrubber
from dialfeed.donotcall.withholding import Scrubbed

TODAY = date(2026, 11, 26)
A, B, D = "+12125550100", "+12125550101", "+12125550102"
CANADIAN = "+14165550100"
MAIL = "a@example.com"
COLUMNS: Mapping[Any, Sequence[str]] = {"phone": ["phone", "Work"], "email": ["email"]}


def contacts(*rows: dict[str, Any]) -> pl.DataFrame:
    blank = {"externalId": None, "phone": None, "Work": None, "email": None, "doNotCall": False, "doNotEmail": False}
    schema = {
        ROW: pl.Int64, "externalId": pl.String, "phone": pl.String, "Work": pl.String, "email": pl.String,
        "doNotCall": pl.Boolean, "doNotEmail": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame([{**blank, **row, ROW: at} for at, row in enumerate(rows, 2)], schema=schema)


def scrubber(
    *lists: Listed,
    email: Sequence[ListedTexts] = (),
    account: Sequence[ListedTexts] = (),
    flagged: Flagged = Flagged.SUPPRESS,
    policy: Policy | None = None,
    exempt: Mapping[str, str] | None = None,
) -> Scrubber:
    opened = Opened(lists, email, account)
    return Scrubber(opened, flagged, policy or Policy(), Exemptions(exempt or {}, TODAY), COLUMNS)


def scrub(made: Scrubber, frame: pl.DataFrame, rows: pl.DataFrame | None = None) -> Scrubbed:
    return made(frame, frame if rows is None else rows)


def left(scrubbed: Scrubbed) -> list[tuple[Any, ...]]:
    return scrubbed.contacts.select(ROW, "phone", "Work", "email").rows()


def test_a_listed_number_is_withheld_and_the_contact_stays_with_its_address() -> None:
    made = scrub(scrubber(Listed(verdicts={A: Verdict.LISTED})), contacts({"phone": A, "email": MAIL}, {"phone": B}))
    assert left(made) == [(2, None, None, MAIL), (3, B, None, None)]
    assert made.suppressed.is_empty()
    assert made.told == {"withheld.national_dnc": 1}


def test_a_contact_without_another_way_is_suppressed_with_every_reason() -> None:
    lists = [Listed(verdicts={A: Verdict.LISTED}), Listed("state:NY", {A: Verdict.LISTED})]
    made = scrub(scrubber(*lists), contacts({"phone": A}, {"phone": B}))
    assert left(made) == [(3, B, None, None)]
    assert made.suppressed.rows() == [(2, "phone", "suppressed.national_dnc"), (2, "phone", "suppressed.state_dnc")]


def test_the_next_number_that_may_be_called_takes_the_first_place_once() -> None:
    frame = contacts({"phone": A, "Work": B}, {"phone": B, "Work": A}, {"phone": A, "Work": A})
    made = scrub(scrubber(Listed(verdicts={A: Verdict.LISTED})), frame)
    assert left(made) == [(2, B, None, None), (3, B, None, None)]
    assert made.contacts["withheld.phone"].to_list() == [A, None]
    assert made.suppressed[ROW].to_list() == [4, 4]


def test_who_may_not_be_called_is_called_on_no_number() -> None:
    frame = contacts({"phone": A, "Work": B, "email": MAIL, "doNotCall": True}, {"phone": A, "Work": B})
    made = scrub(scrubber(), frame)
    assert left(made) == [(2, None, None, MAIL), (3, A, B, None)]


def test_flags_are_kept_for_a_platform_that_reads_them() -> None:
    frame = contacts({"phone": A, "doNotCall": True})
    assert left(scrub(scrubber(flagged=Flagged.KEEP), frame)) == [(2, A, None, None)]


def test_what_another_row_forbids_is_told_of_the_rows_that_do_not_forbid_it_themselves() -> None:
    made = scrubber()
    own = 1 << Fact.FLAGGED
    rows = pl.DataFrame(
        {"facts": [0, 0, own, own], "where": [False, True, False, True]}, {"facts": pl.UInt64, "where": pl.Boolean}
    )
    facts = rows.select(flagged_elsewhere(pl.col("facts"), pl.col("where"))).to_series()
    assert [made.ruling("phone", [word]).code for word in facts] == [
        "",
        "suppressed.do_not_call_elsewhere",
        "suppressed.do_not_call",
        "suppressed.do_not_call",
    ]


def test_a_number_outside_every_registry_is_not_checked_though_the_company_list_has_it_not() -> None:
    registry, own = Listed(verdicts={CANADIAN: Verdict.OUTSIDE}), Listed("internal", clears=False)
    made = scrub(scrubber(registry, own), contacts({"phone": CANADIAN}))
    assert made.suppressed.rows() == [(2, "phone", "suppressed.no_list_covers")]
    assert made.decisions is not None


def test_an_unusable_list_stops_what_it_should_have_cleared_and_no_address() -> None:
    for verdict in (Verdict.STALE, Verdict.DAMAGED, Verdict.MISSING):
        made = scrub(scrubber(Listed(otherwise=verdict)), contacts({"phone": A, "email": MAIL}, {"phone": B}))
        assert left(made) == [(2, None, None, MAIL)]
        assert made.suppressed["code"].to_list() == [f"suppressed.list_{verdict.name.lower()}"]


def test_addresses_and_accounts_have_lists_of_their_own() -> None:
    emails, accounts = [ListedTexts(listed=[MAIL])], [ListedTexts("account", ["gone"], name="accounts")]
    made = scrubber(Listed(), email=emails, account=accounts)
    gone = {"externalId": "gone", "phone": A, "email": "b@example.com"}
    frame = contacts({"phone": A, "email": MAIL.upper()}, {"email": MAIL}, gone)
    found = scrub(made, frame)
    assert left(found) == [(2, A, None, None)]
    assert found.suppressed.rows() == [
        (3, "email", "suppressed.email_suppressed"),
        (4, "phone", "suppressed.account_excluded"),
        (4, "email", "suppressed.account_excluded"),
    ]


def test_lists_of_addresses_and_accounts_alone_clear_no_number() -> None:
    frame = contacts({"phone": A, "email": "b@example.com", "externalId": "here"}, {"phone": A, "externalId": "on"})
    allowed = Policy(uncovered_because="they are scrubbed elsewhere")
    for emails, accounts in (([ListedTexts(listed=[MAIL])], []), ([], [ListedTexts("account", ["gone"])])):
        made = scrub(scrubber(email=emails, account=accounts), frame)
        assert left(made) == [(2, None, None, "b@example.com")]
        made = scrub(scrubber(email=emails, account=accounts, policy=allowed), frame)
        assert left(made) == [(2, A, None, "b@example.com"), (3, A, None, None)]


def test_seventeen_lists_are_one_scrub() -> None:
    lists = [Listed(f"state:{at:02}", {A: Verdict.LISTED} if at == 16 else {}, name=f"list{at}") for at in range(17)]
    made = scrub(scrubber(*lists), contacts({"phone": A}, {"phone": B}))
    assert left(made) == [(3, B, None, None)]
    assert made.decisions is not None
    assert scrubber(*lists).ruling("phone", made.decisions.select("lists0", "lists1", "facts").row(0)).reasons == (
        "suppressed.state_dnc:list16",
    )


def test_an_exemption_lifts_a_hit_where_the_row_proves_it() -> None:
    frame = contacts({"phone": A}, {"phone": A}, {"phone": A}, {"phone": A}, {"phone": A})
    rows = pl.DataFrame({"0": ["2026-05-01", "2025-05-25", "2027-01-01", "05/01/2026", None]})
    made = scrub(scrubber(Listed(verdicts={A: Verdict.LISTED}), exempt={"ebr_purchase": "0"}), frame, rows)
    assert made.contacts[ROW].to_list() == [2], "18 months, never from the future, and never a date that reads two ways"
    assert made.told == {"exempt.ebr_purchase": 1}


def test_consent_counts_only_with_its_proof_and_until_it_expires() -> None:
    frame = contacts(*({"phone": A} for _ in range(4)))
    rows = pl.DataFrame(
        {"0": ["2026-05-01"] * 4, "1": ["F-1", " ", "F-3", "F-4"], "2": [None, None, "2026-11-25", "2026-11-26"]},
        schema=dict.fromkeys("012", pl.String),
    )
    exempt = {"consent": "0", "consent_id": "1", "consent_expires": "2"}
    made = scrub(scrubber(Listed(verdicts={A: Verdict.LISTED}), exempt=exempt), frame, rows)
    assert made.contacts[ROW].to_list() == [2, 5]
    assert made.decisions is not None
    assert made.decisions["evidence"].to_list() == ["consent 2026-05-01 F-1", None, None, "consent 2026-05-01 F-4"]


def test_a_consent_that_is_not_later_than_the_opt_out_lifts_nothing() -> None:
    frame = contacts(*({"phone": A} for _ in range(3)))
    rows = pl.DataFrame({"0": ["2026-10-01", "2026-10-02", "2026-10-03"], "1": ["F"] * 3})
    internal = Listed("internal", {A: Verdict.LISTED}, received={A: "2026-10-02T12:00:00"})
    made = scrubber(internal, policy=Policy(consent_overrides=True), exempt={"consent": "0", "consent_id": "1"})
    assert scrub(made, frame, rows).contacts[ROW].to_list() == [4]


def test_an_objection_follows_the_number_and_the_address_to_every_row() -> None:
    objections = Objections(COLUMNS)
    objections.add({"phone": pl.Series([A]), "email": pl.Series([MAIL.upper()])})
    objections.seal()
    frame = contacts({"phone": A}, {"phone": B, "Work": A}, {"email": MAIL}, {"phone": B, "email": MAIL}, {"phone": D})
    struck = objections.strike(frame)
    assert struck is not None
    assert left(struck) == [(3, B, None, None), (5, B, None, None), (6, D, None, None)]
    assert struck.suppressed.rows() == [
        (2, "phone", "suppressed.do_not_call_elsewhere"), (4, "email", "suppressed.do_not_email_elsewhere"),
    ]  # fmt: skip
    assert objections.strike(contacts({"phone": B})) is None


NUMBERS = [f"+1212555010{digit}" for digit in range(10)]
PHONES = st.sampled_from([None, *NUMBERS])
# as the rules leave them: the first usable number of a contact is in `phone`
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "phone": PHONES, "Work": PHONES, "email": st.sampled_from([None, MAIL, "b@example.com"]),
            "doNotCall": st.sampled_from([False, False, True]), "doNotEmail": st.sampled_from([False, False, True]),
        }
    ).filter(lambda row: row["phone"] or (row["email"] and not row["Work"])),
    min_size=1,
    max_size=20,
)  # fmt: skip
LISTS = st.lists(
    st.builds(
        Listed,
        st.sampled_from(["us", "ca", "internal", "litigator", "state:FL", "reassigned"]),
        st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from(Verdict)),
        st.sampled_from([Verdict.CLEAR, Verdict.CLEAR, Verdict.OUTSIDE]),
        st.booleans(),
    ),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, lists=LISTS, cut=st.integers(0, 20), emails=st.sampled_from([(), (MAIL,)]))
def test_no_number_on_a_list_ever_leaves_and_neither_chunks_nor_order_change_anything(
    rows: list[dict[str, Any]], lists: list[Listed], cut: int, emails: tuple[str, ...]
) -> None:
    for at, each in enumerate(lists):
        each.name = f"list{at}"
    made = scrubber(*lists, email=[ListedTexts(listed=emails)] if emails else ())
    frame = contacts(*rows)
    whole = scrub(made, frame)
    for row in whole.contacts.to_dicts():
        for phone in (row["phone"], row["Work"]):
            said = {each.verdicts.get(phone, each.otherwise) for each in lists} if phone else set()
            assert said <= {Verdict.CLEAR, Verdict.OUTSIDE}
            assert phone is None or not row["doNotCall"]
        assert row["email"] is None or (row["email"] not in emails and not row["doNotEmail"])
        assert row["phone"] or row["email"]
        assert row["phone"] is None or row["phone"] != row["Work"] or rows[row[ROW] - 2]["phone"] == row["Work"]
    parts = [scrub(made, part) for part in (frame[:cut], frame[cut:]) if len(part)]
    assert sorted(whole.contacts[ROW]) == sorted(number for part in parts for number in part.contacts[ROW])
    assert whole.suppressed.rows() == [line for part in parts for line in part.suppressed.rows()]
    kept = [part.decisions for part in parts if part.decisions is not None]
    assert bool(kept) == (whole.decisions is not None)
    lines = sorted(line for part in kept for line in part.rows())
    assert whole.decisions is None or sorted(whole.decisions.rows()) == lines
    backwards = scrub(made, frame.reverse())
    assert sorted(backwards.contacts.rows(), key=str) == sorted(whole.contacts.rows(), key=str)
    assert sorted(backwards.suppressed.rows()) == sorted(whole.suppressed.rows())


def test_an_objection_to_everything_crosses_channels_and_one_to_calls_does_not(tmp_path: Path) -> None:
    lists = Lists(tmp_path)
    lists.opt_out(asked_out(12125550100, channel="all"), asked_out(12125550101), asked_out(email=MAIL, channel="all"))
    made = Scrubber(
        lists.store.open(["internal"], now=START), Flagged.SUPPRESS, Policy(), Exemptions({}, TODAY), COLUMNS
    )
    frame = contacts(
        {"phone": D, "Work": A, "email": "b@example.com"},
        {"phone": B, "email": "b@example.com"},
        {"phone": D, "email": MAIL.upper()},
        {"phone": D, "email": "b@example.com"},
    )
    scrubbed = scrub(made, frame)
    assert left(scrubbed) == [(3, None, None, "b@example.com"), (5, D, None, "b@example.com")]
    assert set(scrubbed.suppressed.filter(pl.col(ROW) == 2)["code"]) >= {"suppressed.wants_nothing"}


def test_an_answer_for_a_day_after_the_consent_is_no_answer(tmp_path: Path) -> None:
    lists, asked = Lists(tmp_path), date(2026, 6, 1)
    lists.add("rnd", "reassigned", answers((12125550100, Verdict.CLEAR, asked), (12125550101, Verdict.CLEAR, asked)))
    exempt = {"consent": "agreed", "consent_id": "form"}
    opened = lists.store.open(["rnd"], now=START)
    made = Scrubber(opened, Flagged.SUPPRESS, Policy(), Exemptions(exempt, TODAY), COLUMNS)
    frame = contacts({"phone": A}, {"phone": A}, {"phone": A}, {"phone": B})
    rows = pl.DataFrame({"agreed": ["2026-05-31", "2026-06-01", None, "2026-07-01"], "form": ["f1", "f2", "f3", "f4"]})
    assert [row[0] for row in left(scrub(made, frame, rows))] == [3, 4, 5]
