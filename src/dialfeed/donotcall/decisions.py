"""What is decided about one endpoint (a phone number or an e-mail address of a contact), and why.

The precedence is that of `compliance.md` section 4.4: the first rule that matches decides, and all reasons are kept.
There are few different situations in a file, however many rows it has: each is decided once, in plain Python, and the
columns only carry which situation an endpoint is in (`dialfeed.donotcall.packedwords`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from dialfeed.donotcall.facts import Verdict

Channel = Literal["phone", "email"]
CHANNELS: Final[tuple[Channel, ...]] = ("phone", "email")


class Decision(StrEnum):
    """What may be done with an endpoint; only the first two reach a platform (`compliance.md` section 4.1)."""

    ALLOW = "allow"
    ALLOW_WITH_LIMITS = "allow_with_limits"
    REVIEW = "review"
    BLOCK = "block"
    NOT_CHECKED = "not_checked"

    @property
    def goes(self) -> bool:
        """Whether the endpoint may reach a platform."""
        return self in {Decision.ALLOW, Decision.ALLOW_WITH_LIMITS}


Family = Literal["registry", "state", "company", "account", "reassigned"]
"""What kind of list it is to the precedence: a national registry, a state's list, the seller's own of numbers and
addresses, the seller's own of accounts, or the answers of the reassigned numbers database."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a list is to the decision.

    Attributes:
        id: Its id, told with each reason.
        family: Where it stands in the precedence.
        clears: Whether a number that it has not can count as checked.
        hit: The reason code of a number that is on it.
        exemptions: The grants (`dialfeed.donotcall.exemptions`) that lift a hit on it.
    """

    id: str
    family: Family
    clears: bool
    hit: str
    exemptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision about an endpoint depends on.

    Attributes:
        verdicts: What each list says, in the order of the roles.
        flagged: The row's own flag forbids the channel.
        flagged_elsewhere: Another row of the file forbids it for the same number or address.
        exemptions: Of which grants the row has evidence that holds.
        consent_later: The row has a proven consent that is later than the opt-out on the company's lists.
        objected: The person wants to hear nothing any more, on whatever channel it was said.
        hours: The calling window had to be narrowed, because it is not certain where the person is.
    """

    verdicts: tuple[Verdict, ...] = ()
    flagged: bool = False
    flagged_elsewhere: bool = False
    exemptions: frozenset[str] = frozenset()
    consent_later: bool = False
    objected: bool = False
    hours: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user has decided about doubtful cases.

    Attributes:
        uncovered_because: Why numbers that no list covers may leave all the same; empty: they may not.
        consent_overrides: Whether a later, proven consent lifts an opt-out on the company's lists.
    """

    uncovered_because: str = ""
    consent_overrides: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision with everything that was found.

    Attributes:
        decision: What may be done.
        code: The reason that decided, of the catalogue; empty where nothing stood against the endpoint.
        reasons: All reasons, each with the list's id behind a colon where it came from a list.
    """

    decision: Decision
    code: str
    reasons: tuple[str, ...]


_UNCHECKED: Final = {
    Verdict.MISSING: "suppressed.list_missing",
    Verdict.DAMAGED: "suppressed.list_damaged",
    Verdict.STALE: "suppressed.list_stale",
    Verdict.NOT_COVERED: "suppressed.list_not_covered",
}
_OUTSIDE: Final = "suppressed.no_list_covers"
_FLAG: Final = {"phone": "suppressed.do_not_call", "email": "suppressed.do_not_email"}
_FLAG_ELSEWHERE: Final = {"phone": "suppressed.do_not_call_elsewhere", "email": "suppressed.do_not_email_elsewhere"}
_ALLOWED: Final = frozenset({"suppressed.list_not_covered", _OUTSIDE})
_WINDOW: Final = "hours.narrowed"

_HIT: Final = frozenset({Verdict.LISTED, Verdict.SCOPED})
"""Only a company's list has opt-outs for a topic; should another say so, it counts like any hit."""

Found = tuple[Decision, str, str]
"""A decision that a rule asks for, its reason code, and the reason as it is recorded."""


def decide(channel: Channel, situation: Situation, roles: Sequence[Role], policy: Policy) -> Ruling:
    """Decide about an endpoint.

    Args:
        channel: What kind of endpoint it is.
        situation: What is known of it.
        roles: What the lists behind the verdicts are.
        policy: What the user has decided.
    """
    answers = list(zip(roles, situation.verdicts, strict=True))
    found = [
        *_opt_outs(channel, situation, answers, policy),
        *_unchecked(answers, policy),
        *_reassigned(answers),
        *_registered(situation, answers),
    ]
    against = [each for each in found if not each[0].goes]
    reasons = tuple(reason for _, _, reason in found)
    if against:
        return Ruling(against[0][0], against[0][1], reasons)
    if situation.hours:
        return Ruling(Decision.ALLOW_WITH_LIMITS, found[0][1] if found else _WINDOW, (*reasons, _WINDOW))
    return Ruling(Decision.ALLOW, found[0][1] if found else "", reasons)


def _opt_outs(
    channel: Channel, situation: Situation, answers: list[tuple[Role, Verdict]], policy: Policy
) -> Iterator[Found]:
    """What people have asked the company itself: nothing overrides it but a later, proven consent, by policy."""
    if situation.flagged:
        yield _blocked(_FLAG[channel])
    if situation.flagged_elsewhere:
        yield _blocked(_FLAG_ELSEWHERE[channel])
    if situation.objected:
        yield _blocked("suppressed.wants_nothing")
    lifted = policy.consent_overrides and situation.consent_later
    for role, verdict in answers:
        if role.family in {"company", "account"} and verdict in _HIT:
            code = role.hit if verdict is Verdict.LISTED else "suppressed.internal_dnc_scope"
            if lifted and role.hit == "suppressed.internal_dnc":
                yield Decision.ALLOW, "exempt.later_consent", f"exempt.later_consent:{role.id}"
            else:
                yield _blocked(code, role.id)


def _unchecked(answers: list[tuple[Role, Verdict]], policy: Policy) -> Iterator[Found]:
    """What could not be checked is never allowed, unless the user says so of numbers that no list covers."""
    told = [(_UNCHECKED[verdict], role.id) for role, verdict in answers if verdict in _UNCHECKED]
    clearing = [verdict for role, verdict in answers if role.clears]
    if clearing and all(verdict is Verdict.OUTSIDE for verdict in clearing):
        told.append((_OUTSIDE, ""))
    for code, list_id in told:
        if policy.uncovered_because and code in _ALLOWED:
            yield Decision.ALLOW, "exempt.uncovered", _with_list("exempt.uncovered", list_id)
        else:
            yield Decision.NOT_CHECKED, code, _with_list(code, list_id)


def _reassigned(answers: list[tuple[Role, Verdict]]) -> Iterator[Found]:
    """A number that belongs to somebody else now, or of which the database knows nothing."""
    for role, verdict in answers:
        if role.family == "reassigned" and verdict in _HIT:
            yield _blocked(role.hit, role.id)
        elif verdict is Verdict.NO_DATA:
            yield Decision.REVIEW, "suppressed.no_data", _with_list("suppressed.no_data", role.id)


def _registered(situation: Situation, answers: list[tuple[Role, Verdict]]) -> Iterator[Found]:
    """National lists, then those of states; exemptions apply here and nowhere else."""
    reassigned = any(role.family == "reassigned" and verdict in _HIT for role, verdict in answers)
    for family in ("registry", "state"):
        for role, verdict in answers:
            if role.family != family or verdict not in _HIT:
                continue
            granted = min(role.exemptions & situation.exemptions, default="")
            if granted and not reassigned:
                code = f"exempt.{granted.partition(' ')[0]}"
                yield Decision.ALLOW, code, f"{code}:{role.id}"
            else:
                yield _blocked(role.hit, role.id)


def _blocked(code: str, list_id: str = "") -> Found:
    return Decision.BLOCK, code, _with_list(code, list_id)


def _with_list(code: str, list_id: str) -> str:
    return f"{code}:{list_id}" if list_id else code
