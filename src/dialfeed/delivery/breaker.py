"""The circuit breaker over all workers: stop sending to a platform that answers nothing but 5xx, or not at all.

Pure: the state is a frozen value and time an argument, in seconds on any clock that never runs backwards.

              k failures in a row            cool-down over
    closed ───────────────────────▶ open ───────────────────▶ half-open: one probe
       ▲                             ▲                              │        │
       │                             └───────── it fails ───────────┘        │
       └──────────────────────────── it succeeds ────────────────────────────┘

Each opening without a success between doubles the cool-down, within a bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a breaker opens, and for how long.

    Attributes:
        failures: So many failures in a row, over all workers, open it.
        cool_down: Seconds that it stays open the first time.
        growth: What each further opening multiplies the cool-down by.
        longest: Seconds that it stays open at most.
        probe_patience: Seconds after which a probe that never reported is given up and the next one let out.
        recheck: Seconds after which to ask again while a probe is under way.
    """

    failures: int = 5
    cool_down: float = 5.0
    growth: float = 2.0
    longest: float = 120.0
    probe_patience: float = 120.0
    recheck: float = 0.25


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of the platform's health.

    Attributes:
        rule: When to open.
        failed: Failures in a row while closed.
        openings: Openings in a row without a success between; 0 while closed.
        open_until: When the cool-down ends; None while closed.
        probed_at: When the probe under way was let out; None without one.
    """

    rule: BreakerRule = field(default_factory=BreakerRule)
    failed: int = 0
    openings: int = 0
    open_until: float | None = None
    probed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go: the breaker is closed."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Go, alone: this request's outcome decides for everybody. Report it with `on_success` or `on_failure`."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Not now; ask again at `at`."""

    at: float


Verdict = Allowed | Probe | WaitUntil


def may_start(state: Breaker, now: float) -> tuple[Breaker, Verdict]:
    """Whether a request may start.

    Returns:
        The state to keep (a probe let out is remembered in it), and the verdict.
    """
    if state.open_until is None:
        return state, Allowed()
    if now < state.open_until:
        return state, WaitUntil(state.open_until)
    if state.probed_at is not None and now < state.probed_at + state.rule.probe_patience:
        return state, WaitUntil(min(now + state.rule.recheck, state.probed_at + state.rule.probe_patience))
    return replace(state, probed_at=now), Probe()


def on_failure(state: Breaker, now: float) -> Breaker:
    """A request came to a 5xx, or to no answer.

    A failure that comes in while the breaker is open and nothing is probed was sent before it opened: it tells
    nothing new.
    """
    if state.open_until is not None:
        return state if state.probed_at is None else _open(state, now)
    failed = state.failed + 1
    return _open(state, now) if failed >= state.rule.failures else replace(state, failed=failed)


def on_success(state: Breaker, now: float) -> Breaker:
    """A request was answered, with anything but a 5xx.

    While the cool-down lasts a late success does not close the breaker: to wait on costs seconds, while each
    request sent too early may end as an unknown outcome, which costs a settling.
    """
    if state.open_until is not None and state.probed_at is None and now < state.open_until:
        return state
    return Breaker(state.rule)


def on_nothing(state: Breaker) -> Breaker:
    """A request was let out and not sent: had it been the probe, the next one is."""
    return replace(state, probed_at=None)


def is_open(state: Breaker) -> bool:
    """Whether requests are held back: open or half-open."""
    return state.open_until is not None


def _open(state: Breaker, now: float) -> Breaker:
    """Open, or open again for longer."""
    rule = state.rule
    # Beyond 64 doublings every cool-down is the longest; the power would overflow long after.
    cool_down = min(rule.longest, rule.cool_down * rule.growth ** min(state.openings, 64))
    return Breaker(rule, openings=state.openings + 1, open_until=now + cool_down)
