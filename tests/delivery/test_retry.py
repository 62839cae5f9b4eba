"""Retries: every wait is in seconds, within its bounds, whatever a platform writes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialfeed.delivery.retry import RetryPolicy, backoff, parse_retry_after

NOW = 1_790_000_000.0
SERVER_DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
jitters = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("+7", 7.0),
        ("007", 7.0),
        ("1.5", 1.5),
        (".75", 0.75),
        ("2.", 2.0),
        ("30,120", 120.0),
        ("120, 30", 120.0),
        ("30,soon", 30.0),
        ("Wed, 21 Oct 2026 07:28:40 GMT", 40.0),
        ("Wednesday, 21-Oct-26 07:28:40 GMT", 40.0),
        ("Wed Oct 21 07:28:40 2026", 40.0),
        ("Wed, 21 Oct 2026 09:28:40 +0200", 40.0),
        ("2026-10-21T07:28:40Z", 40.0),
        ("2026-10-21T07:28:40.500+00:00", 40.5),
    ],
)
def test_every_form_of_retry_after_is_read_as_seconds(header: str, seconds: float) -> None:
    assert parse_retry_after(header, now=NOW, server_date=SERVER_DATE) == seconds


@pytest.mark.parametrize("header", ["1", "5", "30", "120"])
def test_seconds_are_never_taken_for_milliseconds(header: str) -> None:
    assert parse_retry_after(header, now=NOW) == float(header)


@pytest.mark.parametrize(
    "header",
    [None, "", "  ", "soon", "1500ms", "5 s", "1e2", "inf", "nan", "-", ",", "0x10", "٣", "Wed, 99 Foo 2026", "5;q=1"],
)
def test_what_cannot_be_read_means_five_seconds(header: str | None) -> None:
    assert parse_retry_after(header, now=NOW) == 5.0
    assert parse_retry_after(header, now=NOW, default=9.0) == 9.0


@pytest.mark.parametrize("header", ["0", "-5", "0.0", "Wed, 21 Oct 2026 07:28:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_a_moment_already_past_means_a_short_wait_and_not_none(header: str) -> None:
    assert parse_retry_after(header, now=NOW, server_date=SERVER_DATE) == 0.5


@pytest.mark.parametrize(
    "header", ["301", "86400", "9" * 5000, "1790000000", "Fri, 31 Dec 9999 23:59:59 GMT", "20261021", "1,99999"]
)
def test_a_huge_wait_is_cut_to_the_ceiling(header: str) -> None:
    assert parse_retry_after(header, now=NOW, server_date=SERVER_DATE) == 300.0
    assert parse_retry_after(header, now=NOW, server_date=SERVER_DATE, ceiling=60.0) == 60.0


def test_a_date_is_measured_against_the_servers_own_clock() -> None:
    ours_is_an_hour_slow = NOW - 3600
    header, date = formatdate(NOW + 20, usegmt=True), formatdate(NOW, usegmt=True)
    assert parse_retry_after(header, now=ours_is_an_hour_slow, server_date=date) == 20.0


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine's zone is New York."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    "header", ["2026-10-21T07:28:40", "Wed Oct 21 07:28:40 2026", "Wed, 21 Oct 2026 07:28:40 -0000"]
)
def test_a_date_without_a_zone_is_utc_wherever_we_are(header: str) -> None:
    assert parse_retry_after(header, now=NOW, server_date=SERVER_DATE) == 40.0


@pytest.mark.parametrize("server_date", [None, "", "yesterday"])
def test_without_the_servers_date_our_clock_counts(server_date: str | None) -> None:
    assert parse_retry_after(formatdate(NOW + 20, usegmt=True), now=NOW, server_date=server_date) == 20.0


@pytest.mark.parametrize(
    ("body_value", "seconds"),
    [
        (12, 12.0),
        (1.5, 1.5),
        ("12", 12.0),
        ("30,120", 120.0),
        ("Wed, 21 Oct 2026 07:28:40 GMT", 40.0),
        (0, 0.5),
        (-3, 0.5),
        (10**400, 300.0),
        (math.inf, 300.0),
        (-math.inf, 0.5),
        (math.nan, 5.0),
        (True, 5.0),
        (None, 5.0),
        ([12], 5.0),
        ({"seconds": 12}, 5.0),
    ],
)
def test_the_bodys_retry_after_counts_where_the_header_says_nothing(body_value: object, seconds: float) -> None:
    assert parse_retry_after(None, now=NOW, body_value=body_value, server_date=SERVER_DATE) == seconds


def test_of_header_and_body_the_longer_wait_counts() -> None:
    assert parse_retry_after("5", now=NOW, body_value=30) == 30.0
    assert parse_retry_after("30", now=NOW, body_value=5) == 30.0


@given(
    st.one_of(st.none(), st.text(), st.text("0123456789.,-+: GMTWedOct")),
    st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.booleans()),
    st.one_of(st.none(), st.text()),
)
def test_nothing_that_a_platform_writes_raises_or_leaves_the_bounds(
    header: str | None, body_value: object, server_date: str | None
) -> None:
    wait = parse_retry_after(header, now=NOW, body_value=body_value, server_date=server_date)
    assert 0.5 <= wait <= 300.0


@pytest.mark.parametrize(
    ("attempt", "jitter", "seconds"),
    [(0, 0.0, 1.0), (1, 0.0, 2.0), (2, 0.0, 4.0), (3, 0.0, 8.0), (4, 0.0, 16.0), (0, 0.5, 1.25), (3, 0.5, 10.0)],
)
def test_a_back_off_is_two_to_the_power_of_the_attempt_and_jitter_on_top(
    attempt: int, jitter: float, seconds: float
) -> None:
    assert backoff(attempt, jitter=jitter) == seconds


@given(st.integers(0, 10_000), jitters, st.floats(0.01, 10), st.floats(1, 1000))
@example(0, 0.9999999999999999, 6.0, 7.618636697600894)
def test_a_back_off_never_exceeds_its_cap_and_keeps_its_jitter_there(
    attempt: int, jitter: float, base: float, cap: float
) -> None:
    wait = backoff(attempt, jitter=jitter, base=base, cap=cap)
    assert 0 < wait <= cap
    assert wait >= backoff(attempt, jitter=0.0, base=base, cap=cap)
    assert backoff(100, jitter=0.0, cap=cap) < backoff(100, jitter=0.9, cap=cap)


@given(st.integers(0, 100), jitters)
def test_a_later_back_off_is_never_shorter_for_the_same_jitter(attempt: int, jitter: float) -> None:
    assert backoff(attempt, jitter=jitter) <= backoff(attempt + 1, jitter=jitter)


@pytest.mark.parametrize(("attempt", "jitter"), [(-1, 0.0), (0, 1.0), (0, -0.1)])
def test_a_back_off_that_cannot_be_is_refused(attempt: int, jitter: float) -> None:
    with pytest.raises(ValueError, match="no such repeat"):
        backoff(attempt, jitter=jitter)


@pytest.mark.parametrize(
    ("retries", "elapsed", "wait", "deadline", "allowed"),
    [
        (0, 0.0, 0.0, None, True),
        (4, 1e6, 60.0, None, True),
        (5, 0.0, 0.0, None, False),
        (6, 0.0, 0.0, None, False),
        (1, 50.0, 10.0, 60.0, True),
        (1, 50.0, 10.1, 60.0, False),
    ],
)
def test_a_policy_allows_five_repeats_that_begin_before_the_deadline(
    retries: int, elapsed: float, wait: float, deadline: float | None, *, allowed: bool
) -> None:
    assert RetryPolicy(deadline=deadline).allows(retries, elapsed, wait) is allowed


def test_a_policys_waits_are_its_back_offs() -> None:
    policy = RetryPolicy(base=0.5, cap=3.0)
    assert [policy.wait(attempt, 0.0) for attempt in range(5)] == [0.5, 1.0, 2.0, 2.0, 2.0]
