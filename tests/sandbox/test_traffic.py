"""The worst window, the rate limit and the gauges; time is an argument."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.sandbox.traffic import RateLimiter, Traffic, worst_window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client

    from dialfeed.sandbox import SandboxServer

LISTS = "/api/v2/outbound/contactlists"
TICKS = st.lists(st.integers(0, 64), max_size=40).map(lambda ticks: [tick / 16 for tick in sorted(ticks)])


@pytest.mark.parametrize(
    ("arrivals", "worst"),
    [
        ([], 0),
        ([5.0], 1),
        ([0.0, 0.5, 0.999], 3),
        ([0.0, 0.5, 1.0], 2),
        ([0.0, 0.1, 0.2, 1.05, 1.06, 1.07, 3.0], 5),
        ([2.0] * 7, 7),
    ],
)
def test_the_worst_window_is_half_open(arrivals: list[float], worst: int) -> None:
    assert worst_window(arrivals) == worst


@given(TICKS)
def test_the_worst_window_is_what_counting_from_every_arrival_finds(arrivals: list[float]) -> None:
    by_hand = max((sum(start <= when < start + 1 for when in arrivals) for start in arrivals), default=0)
    assert worst_window(arrivals) == by_hand


@given(TICKS, st.integers(1, 5))
def test_no_second_ever_lets_more_through_than_the_limit(arrivals: list[float], limit: int) -> None:
    limiter = RateLimiter()
    admitted = [when for when in arrivals if limiter.wait_needed(when, limit) == 0]
    assert worst_window(admitted) == min(limit, worst_window(arrivals))


@given(TICKS, st.integers(1, 5))
def test_who_waits_as_told_is_let_through(arrivals: list[float], limit: int) -> None:
    limiter = RateLimiter()
    for when in arrivals:
        wait = limiter.wait_needed(when, limit)
        if wait:
            assert 0 < wait <= 1
            assert limiter.wait_needed(when + wait, limit) == 0
            return


def test_a_limit_that_was_lowered_still_tells_a_wait_that_helps() -> None:
    limiter = RateLimiter()
    for when in (0.0, 0.125, 0.25, 0.375):
        limiter.wait_needed(when, 10)
    wait = limiter.wait_needed(0.5, 2)
    assert wait == 0.75
    assert limiter.wait_needed(0.5 + wait, 2) == 0


def test_no_limit_remembers_nothing() -> None:
    limiter = RateLimiter()
    assert all(limiter.wait_needed(0.0, None) == 0 for _ in range(100))
    assert limiter.wait_needed(0.0, 1) == 0


def test_traffic_counts_by_target_and_over_all() -> None:
    traffic = Traffic()
    for target, when in (("contacts", 0.0), ("token", 0.1), ("contacts", 0.2), ("lists", 1.1)):
        traffic.arrive(target, when)
    traffic.leave("contacts", "POST x", "201")
    traffic.leave("contacts", "POST x", "cut")
    traffic.arrive("contacts", 1.15)
    assert traffic.worst_second("contacts") == 2
    assert traffic.worst_second("contacts", "lists") == 3
    assert (traffic.most("contacts"), traffic.most("token"), traffic.most("all"), traffic.most("job")) == (2, 1, 4, 0)
    assert traffic.answers["POST x", "201"] == 1


def test_the_rate_limit_answers_429_and_stores_nothing(
    sandbox: SandboxServer, client: Client, contacts: Callable[[int], list[dict[str, Any]]]
) -> None:
    sandbox.configure(rate_limit=3)
    list_id = sandbox.add_list("Spring")
    answers = [client.add(list_id, contacts(1)) for _ in range(5)]
    assert [got.status for got in answers] == [201, 201, 201, 429, 429]
    assert answers[3].headers["Retry-After"] == "1"
    assert client.get(LISTS).status == 429
    assert client.ask_token().status == 200
    stats = sandbox.stats()
    assert stats["lists"][list_id]["stored"] == 3
    assert stats["worst_second"] == {"requests": 6, "contact_posts": 5}
    assert stats["requests"][f"POST {LISTS}/{{id}}/contacts"] == {"201": 3, "429": 2}
    assert stats["requests"][f"GET {LISTS}"] == {"429": 1}


def test_requests_at_once_are_counted(
    sandbox: SandboxServer, connect: Callable[[], Client], contacts: Callable[[int], list[dict[str, Any]]]
) -> None:
    list_id = sandbox.add_list("Spring")
    clients = [connect().sign_in() for _ in range(4)]
    sandbox.configure(latency_s=0.15)
    threads = [threading.Thread(target=one.add, args=(list_id, contacts(2))) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.stats()["max_concurrent"] == {"all": 4, "contacts": 4, "token": 1}
