"""Typed, seeded faults: what goes wrong, when, and how.

A plan in Python and in the JSON of the control plane::

    FaultPlan(seed=7, rules=(
        Fault("status", status=503, share=0.02),
        Fault("cut_after_upload", at=(3, 7), when="after_write"),
        Fault("stall", target="token", first=1),
    ))

    {"seed": 7, "rules": [
        {"kind": "status", "status": 503, "share": 0.02},
        {"kind": "cut_after_upload", "at": [3, 7], "when": "after_write"},
        {"kind": "stall", "target": "token", "first": 1}
    ]}

Requests to each target are numbered from 1 in the order of their arrival (`Fault.target`); requests that the rate
limit turned away have no number. Whether a rule strikes depends on the plan's seed, the rule's place and that
number alone. Of several rules that strike one request the first shapes the answer; ``revoke_tokens`` and
``other_writer`` shape none, so they go together with any other. `FAULT_KINDS` documents every kind.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from dialfeed.sandbox.jsonform import check_fields, read_fields
from dialfeed.sandbox.settings import RetryAfter

Target = Literal["contacts", "token", "lists", "count", "job"]
"""What is struck: adding contacts, the token route, the pages of lists, one list's count, a job's state."""

When = Literal["before_write", "after_write"]
"""Whether the request's own work is left undone or done before the fault shows."""

Kind = Literal[
    "status",
    "rate_limited",
    "cut_during_upload",
    "cut_after_upload",
    "stall",
    "delay",
    "trickle",
    "redirect",
    "html",
    "truncated_json",
    "wrong_length",
    "close_after_answer",
    "close_on_next",
    "revoke_tokens",
    "short_answer",
    "partial_store",
    "delayed_write",
    "other_writer",
]

TARGETS: tuple[str, ...] = get_args(Target)


@dataclass(frozen=True, slots=True)
class KindOf:
    """What one kind of fault does.

    Attributes:
        does: A sentence.
        parameters: The parameters of `Fault` that it takes, beside those that say when it strikes.
        shapes_answer: False for what happens beside the answer.
        contacts_only: Whether it makes sense for adding contacts only.
    """

    does: str
    parameters: tuple[str, ...] = ()
    shapes_answer: bool = True
    contacts_only: bool = False


FAULT_KINDS: dict[str, KindOf] = {
    "status": KindOf(
        "Answers `status` with a JSON error without paths; a 503 may carry `retry_after`.",
        ("status", "when", "early", "retry_after", "seconds"),
    ),
    "rate_limited": KindOf(
        "Answers 429; `retry_after` is the form and `seconds` the wait it tells.", ("retry_after", "seconds", "early")
    ),
    "cut_during_upload": KindOf("Cuts the connection when `size` bytes of the body were read.", ("size", "reset")),
    "cut_after_upload": KindOf("Reads everything, then cuts the connection without an answer.", ("when", "reset")),
    "stall": KindOf("Reads everything and does not answer; after `seconds`, if given, it cuts.", ("when", "seconds")),
    "delay": KindOf("Answers as it should, `seconds` late; with before_write the work waits too.", ("when", "seconds")),
    "trickle": KindOf("Sends the good answer in pieces of `size` bytes over `seconds` in all.", ("size", "seconds")),
    "redirect": KindOf("Answers `status` (302, 307 …) with `location`.", ("status", "location", "when")),
    "html": KindOf("Answers an HTML page with `status`, as a proxy does.", ("status", "when")),
    "truncated_json": KindOf("Sends half of the good answer's body, in framing that is complete."),
    "wrong_length": KindOf("Announces `size` bytes more than the good answer has, sends it and closes.", ("size",)),
    "close_after_answer": KindOf("Closes the connection right after the good answer, unannounced."),
    "close_on_next": KindOf("Answers well, and cuts the connection when the next request arrives on it.", ("reset",)),
    "revoke_tokens": KindOf("Revokes all tokens as the request arrives.", (), shapes_answer=False),
    "short_answer": KindOf(
        "Stores all; answers an array of only `keep` contacts (or half of them), shuffled.",
        ("keep",),
        contacts_only=True,
    ),
    "partial_store": KindOf(
        "Stores only the first `keep` contacts (or half of them), then answers `status`.",
        ("keep", "status"),
        contacts_only=True,
    ),
    "delayed_write": KindOf(
        "Answers `status` now and stores the batch `seconds` later.", ("seconds", "status"), contacts_only=True
    ),
    "other_writer": KindOf(
        "Somebody else adds `keep` contacts to the list: at a request, or `at_s` seconds after the plan was set.",
        ("keep", "list_id", "at_s"),
        shapes_answer=False,
        contacts_only=True,
    ),
}
"""Every kind of fault, by its name in `Fault.kind`."""

DEFAULT_STATUS = {"redirect": 307, "html": 502, "partial_store": 500, "delayed_write": 504}
DEFAULT_SECONDS = {"stall": None, "rate_limited": 1.0, "delay": 0.1, "trickle": 0.1, "delayed_write": 0.1}
DEFAULT_SIZE = {"cut_during_upload": 1024, "trickle": 16, "wrong_length": 100}


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule of a plan: what goes wrong with which requests.

    Attributes:
        kind: What goes wrong (`FAULT_KINDS`).
        target: Which requests are meant.
        at: Strikes these requests, by their number from 1.
        first: Strikes the first so many.
        after: Strikes none up to this number.
        every: Strikes each so many-th.
        share: Strikes this share of the requests, by chance; 1 strikes all.
        limit: Strikes at most so many times.
        at_s: ``other_writer`` only: strikes at these seconds after the plan was set.
        when: Whether the request's own work is done before the fault shows.
        status: The HTTP status that is answered.
        early: Answers before the body was read.
        seconds: The wait, the delay or the length of the fault; none is the kind's own default.
        retry_after: The form of ``Retry-After``.
        size: Bytes.
        keep: Contacts.
        reset: Cut with a TCP reset instead of closing.
        location: Where a redirect points.
        list_id: The list that another writer writes to; empty means the request's own, or all.
    """

    kind: Kind
    target: Target = "contacts"
    at: tuple[int, ...] = ()
    first: int | None = None
    after: int = 0
    every: int | None = None
    share: float | None = None
    limit: int | None = None
    at_s: tuple[float, ...] = ()
    when: When | None = None
    status: int | None = None
    early: bool | None = None
    seconds: float | None = None
    retry_after: RetryAfter | None = None
    size: int | None = None
    keep: int | None = None
    reset: bool | None = None
    location: str | None = None
    list_id: str | None = None

    def __post_init__(self) -> None:
        """Check every field and that the kind takes it.

        Raises:
            ValueError: One sentence that says what does not fit.
        """
        check_fields(self)
        self._check_parameters()
        self._check_numbers()

    def _check_parameters(self) -> None:
        kind = FAULT_KINDS[self.kind]
        for name in PARAMETERS:
            if getattr(self, name) not in {None, ()} and name not in kind.parameters:
                raise ValueError(f"A fault of kind {self.kind!r} takes no {name!r}.")
        if kind.contacts_only and self.target != "contacts":
            raise ValueError(f"A fault of kind {self.kind!r} can strike the target 'contacts' only.")
        if not (self.at or self.at_s or self.first or self.every or self.share is not None):
            raise ValueError("A fault needs one of 'at', 'first', 'every' and 'share' to say when it strikes.")

    def _check_numbers(self) -> None:
        if self.share is not None and not 0 <= self.share <= 1:
            raise ValueError("'share' must be between 0 and 1.")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("'status' must be between 200 and 599.")
        for name in ("first", "after", "every", "limit", "seconds", "size", "keep"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name!r} must not be negative.")

    def strikes(self, ordinal: int, seed: str) -> bool:
        """Whether the request with this number is struck, `limit` apart.

        Args:
            ordinal: The request's number among those to the target, from 1.
            seed: What the draw depends on beside the number.
        """
        if ordinal <= self.after:
            return False
        return (
            ordinal in self.at
            or (self.first is not None and ordinal - self.after <= self.first)
            or (bool(self.every) and ordinal % (self.every or 1) == 0)
            or self._drawn(ordinal, seed)
        )

    def _drawn(self, ordinal: int, seed: str) -> bool:
        if not self.share:
            return False
        return self.share == 1 or random.Random(f"{seed}:{ordinal}").random() < self.share  # noqa: S311  chance to be repeated, no secret

    @property
    def writes(self) -> bool:
        """Whether the request's own work is done."""
        return self.when == "after_write"

    @property
    def status_or_default(self) -> int:
        """The status to answer."""
        return self.status or DEFAULT_STATUS.get(self.kind, 503)

    @property
    def seconds_or_default(self) -> float | None:
        """The seconds that are meant; none only where a stall has no end."""
        return DEFAULT_SECONDS.get(self.kind) if self.seconds is None else self.seconds

    @property
    def size_or_default(self) -> int:
        """The bytes that are meant."""
        return DEFAULT_SIZE.get(self.kind, 0) if self.size is None else self.size

    def keep_of(self, count: int) -> int:
        """How many of `count` contacts are kept: `keep`, or half of them rounded down."""
        return count // 2 if self.keep is None else min(self.keep, count)

    def to_json(self) -> dict[str, Any]:
        """The JSON form: only what differs from the default."""
        return {name: value for name, value in asdict(self).items() if value != DEFAULTS.get(name)}


PARAMETERS = (
    "when",
    "status",
    "early",
    "seconds",
    "retry_after",
    "size",
    "keep",
    "reset",
    "location",
    "list_id",
    "at_s",
)
DEFAULTS = {member.name: member.default for member in fields(Fault)}


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All that goes wrong in a run.

    Attributes:
        seed: Decides every draw.
        rules: The faults; the first that strikes shapes the answer.
    """

    seed: int = 0
    rules: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self.rules))

    @classmethod
    def from_json(cls, data: object) -> FaultPlan:
        """Read a plan in its JSON form.

        Raises:
            ValueError: One sentence that says what does not fit, and in which rule.
        """
        if not isinstance(data, dict) or data.keys() - {"seed", "rules"}:
            raise ValueError("A fault plan must be a JSON object with 'seed' and 'rules'.")
        seed, rules = data.get("seed", 0), data.get("rules", [])
        if type(seed) is not int or not isinstance(rules, list):
            raise ValueError("'seed' must be a whole number and 'rules' a list.")
        return cls(seed, tuple(_read_rule(place, rule) for place, rule in enumerate(rules)))

    def to_json(self) -> dict[str, Any]:
        """The JSON form, which `from_json` reads back to an equal plan."""
        return {"seed": self.seed, "rules": [rule.to_json() for rule in self.rules]}


def _read_rule(place: int, data: object) -> Fault:
    try:
        return Fault(**{"kind": "", **read_fields(Fault, data, "a fault")})
    except ValueError as error:
        raise ValueError(f"rules[{place}]: {error}") from error


@dataclass(frozen=True, slots=True)
class Strike:
    """What hits one request.

    Attributes:
        ordinal: The request's number among those to its target.
        shape: The fault that shapes the answer, if any.
        beside: Faults that happen beside the answer.
    """

    ordinal: int
    shape: Fault | None
    beside: tuple[Fault, ...]


@dataclass(slots=True)
class Injector:
    """Numbers the requests and applies a plan to them.

    Attributes:
        plan: What is to go wrong.
        injected: How often each kind has struck, under this plan and those before it.
    """

    plan: FaultPlan = field(default_factory=FaultPlan)
    injected: Counter[str] = field(default_factory=Counter)
    _ordinals: Counter[str] = field(default_factory=Counter)
    _struck: Counter[int] = field(default_factory=Counter)

    def change(self, plan: FaultPlan) -> None:
        """Go by another plan from now on; the next request to each target has number 1."""
        self.plan = plan
        self._ordinals.clear()
        self._struck.clear()

    def strike(self, target: str) -> Strike:
        """Number a request to `target` and decide what hits it."""
        self._ordinals[target] += 1
        ordinal = self._ordinals[target]
        shape: Fault | None = None
        beside: list[Fault] = []
        for place, fault in enumerate(self.plan.rules):
            shapes = FAULT_KINDS[fault.kind].shapes_answer
            if (shapes and shape) or not self._hits(place, fault, target, ordinal):
                continue
            self._count(place, fault)
            if shapes:
                shape = fault
            else:
                beside.append(fault)
        return Strike(ordinal, shape, tuple(beside))

    def _hits(self, place: int, fault: Fault, target: str, ordinal: int) -> bool:
        spent = fault.limit is not None and self._struck[place] >= fault.limit
        return fault.target == target and not spent and fault.strikes(ordinal, f"{self.plan.seed}:{place}")

    def _count(self, place: int, fault: Fault) -> None:
        self._struck[place] += 1
        self.injected[fault.kind] += 1
