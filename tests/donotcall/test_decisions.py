"""What is decided about an endpoint: the precedence of `compliance.md` section 4.4, and that all reasons are kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.donotcall.decisions import Decision, Policy, Role, Situation, decide
from dialfeed.donotcall.facts import Verdict

NATIONAL = Role("us-national", "registry", True, "suppressed.national_dnc", frozenset({"consent"}))
STATE = Role("fl", "state", clears=True, hit="suppressed.state_dnc")
INTERNAL = Role("internal", "company", clears=False, hit="suppressed.internal_dnc")
LITIGATORS = Role("courts", "company", clears=False, hit="suppressed.litigator")
REASSIGNED = Role("rnd", "reassigned", clears=False, hit="suppressed.reassigned")
ACCOUNTS = Role("accounts", "account", clears=False, hit="suppressed.account_excluded")
ROLES = (NATIONAL, STATE, INTERNAL, LITIGATORS, REASSIGNED, ACCOUNTS)
NOTHING = Policy()

C, X, L = Verdict.CLEAR, Verdict.OUTSIDE, Verdict.LISTED
UNCOVERED = Verdict.NOT_COVERED
CONSENT = {"exemptions": frozenset({"consent"})}

CASES = [
    ("checked and absent", (C, X, C, C, C, X), {}, "allow", ""),
    ("on the national list", (L, X, C, C, C, X), {}, "block", "suppressed.national_dnc"),
    ("on the state's list", (C, L, C, C, C, X), {}, "block", "suppressed.state_dnc"),
    ("on both: the national one decides", (L, L, C, C, C, X), {}, "block", "suppressed.national_dnc"),
    ("asked the company", (C, X, L, C, C, X), {}, "block", "suppressed.internal_dnc"),
    ("asked the company, and is registered", (L, X, L, C, C, X), {}, "block", "suppressed.internal_dnc"),
    ("asked about a topic", (C, X, Verdict.SCOPED, C, C, X), {}, "block", "suppressed.internal_dnc_scope"),
    ("takes callers to court", (C, X, C, L, C, X), {}, "block", "suppressed.litigator"),
    ("account excluded", (C, X, C, C, C, L), {}, "block", "suppressed.account_excluded"),
    ("its own row forbids", (C, X, C, C, C, X), {"flagged": True}, "block", "suppressed.do_not_call"),
    ("another row", (C, X, C, C, C, X), {"flagged_elsewhere": True}, "block", "suppressed.do_not_call_elsewhere"),
    ("no list speaks of it", (X, X, C, C, C, X), {}, "not_checked", "suppressed.no_list_covers"),
    ("area code not obtained", (UNCOVERED, X, C, C, C, X), {}, "not_checked", "suppressed.list_not_covered"),
    ("list too old", (Verdict.STALE, X, C, C, C, X), {}, "not_checked", "suppressed.list_stale"),
    ("list damaged", (Verdict.DAMAGED, X, C, C, C, X), {}, "not_checked", "suppressed.list_damaged"),
    ("list missing", (C, X, Verdict.MISSING, C, C, X), {}, "not_checked", "suppressed.list_missing"),
    ("not covered, and listed there", (UNCOVERED, L, C, C, C, X), {}, "not_checked", "suppressed.list_not_covered"),
    ("somebody else's by now", (C, X, C, C, L, X), {}, "block", "suppressed.reassigned"),
    ("no answer about it", (C, X, C, C, Verdict.NO_DATA, X), {}, "review", "suppressed.no_data"),
    ("registered, with consent", (L, X, C, C, C, X), CONSENT, "allow", "exempt.consent"),
    ("the state knows no consent", (C, L, C, C, C, X), CONSENT, "block", "suppressed.state_dnc"),
    ("consent of somebody else", (L, X, C, C, L, X), CONSENT, "block", "suppressed.reassigned"),
    ("consent unsays no opt-out", (L, X, L, C, C, X), CONSENT, "block", "suppressed.internal_dnc"),
    ("a place that is not certain", (C, X, C, C, C, X), {"hours": True}, "allow_with_limits", "hours.narrowed"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "verdicts", "facts", "decision", "code"), CASES, ids=[case[0] for case in CASES])
def test_the_first_rule_that_matches_decides(
    what: str, verdicts: tuple[Verdict, ...], facts: dict[str, Any], decision: str, code: str
) -> None:
    del what
    ruling = decide("phone", Situation(verdicts, **facts), ROLES, NOTHING)
    assert (ruling.decision, ruling.code) == (decision, code)


def test_all_reasons_are_kept_with_the_list_that_gave_them() -> None:
    ruling = decide("phone", Situation((L, L, L, C, C, X), flagged=True), ROLES, NOTHING)
    assert ruling.reasons == (
        "suppressed.do_not_call",
        "suppressed.internal_dnc:internal",
        "suppressed.national_dnc:us-national",
        "suppressed.state_dnc:fl",
    )


def test_a_consent_of_who_had_the_number_before_lifts_no_hit_and_is_not_told_as_if_it_did() -> None:
    ruling = decide("phone", Situation((L, X, C, C, L, X), exemptions=frozenset({"consent"})), ROLES, NOTHING)
    assert ruling.reasons == ("suppressed.reassigned:rnd", "suppressed.national_dnc:us-national")


def test_a_list_without_a_verdict_is_no_decision() -> None:
    with pytest.raises(ValueError, match="zip"):
        decide("phone", Situation((C, X, C, C, C)), ROLES, NOTHING)


def test_an_exception_lets_out_what_no_list_covers_and_nothing_else() -> None:
    policy = Policy(uncovered_because="test calls to our own numbers")
    assert decide("phone", Situation((X, X, C, C, C, X)), ROLES, policy).reasons == ("exempt.uncovered",)
    assert decide("phone", Situation((UNCOVERED, X, C, C, C, X)), ROLES, policy).decision is Decision.ALLOW
    for unusable in (Verdict.STALE, Verdict.DAMAGED, Verdict.MISSING):
        assert decide("phone", Situation((unusable, X, C, C, C, X)), ROLES, policy).decision is Decision.NOT_CHECKED


def test_a_later_consent_lifts_an_opt_out_only_by_policy_and_never_that_of_a_litigator() -> None:
    later = Situation((C, X, L, C, C, X), consent_later=True)
    assert decide("phone", later, ROLES, NOTHING).decision is Decision.BLOCK
    allowed = decide("phone", later, ROLES, Policy(consent_overrides=True))
    assert (allowed.decision, allowed.reasons) == (Decision.ALLOW, ("exempt.later_consent:internal",))
    court = Situation((C, X, C, L, C, X), consent_later=True)
    assert decide("phone", court, ROLES, Policy(consent_overrides=True)).decision is Decision.BLOCK


@given(
    verdicts=st.tuples(*(st.sampled_from(Verdict) for _ in ROLES)),
    facts=st.fixed_dictionaries(
        dict.fromkeys(["flagged", "flagged_elsewhere", "consent_later", "hours"], st.booleans())
    ),
    exemptions=st.frozensets(st.sampled_from(["consent", "ebr_purchase 18", "b2b"])),
    policy=st.builds(Policy, uncovered_because=st.sampled_from(["", "because"]), consent_overrides=st.booleans()),
)
def test_nobody_on_a_list_goes_without_an_exemption_and_what_was_not_checked_never_goes(
    verdicts: tuple[Verdict, ...], facts: dict[str, bool], exemptions: frozenset[str], policy: Policy
) -> None:
    ruling = decide("phone", Situation(verdicts, exemptions=exemptions, **facts), ROLES, policy)
    for role, verdict in zip(ROLES, verdicts, strict=True):
        if verdict in {Verdict.MISSING, Verdict.DAMAGED, Verdict.STALE, Verdict.NO_DATA}:
            assert not ruling.decision.goes
        if verdict is Verdict.NOT_COVERED and not policy.uncovered_because:
            assert not ruling.decision.goes
        if verdict in {Verdict.LISTED, Verdict.SCOPED} and ruling.decision.goes:
            lifted = {"registry": "exempt.consent:", "company": "exempt.later_consent:"}[role.family]
            assert f"{lifted}{role.id}" in ruling.reasons
    if facts["flagged"] or facts["flagged_elsewhere"]:
        assert ruling.decision is Decision.BLOCK
    if not ruling.decision.goes:
        assert any(reason.partition(":")[0] == ruling.code for reason in ruling.reasons)


def test_each_reason_is_in_the_catalogue() -> None:
    for verdicts in ((each,) * len(ROLES) for each in Verdict):
        for channel in ("phone", "email"):
            situation = Situation(verdicts, flagged=True, flagged_elsewhere=True, exemptions=frozenset({"consent"}))
            for policy in (NOTHING, Policy("because", consent_overrides=True)):
                for reason in decide(channel, situation, ROLES, policy).reasons:
                    assert reason.partition(":")[0] in BY_CODE
