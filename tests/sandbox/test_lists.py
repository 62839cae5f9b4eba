"""Pages of lists and the count of one list: `cxone-v2-dialect.md` section 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dialfeed.sandbox import Settings
from dialfeed.sandbox.state import State
from dialfeed.sandbox.store import ShownCount

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client

    from dialfeed.sandbox import SandboxServer

LISTS = "/api/v2/outbound/contactlists"


def test_a_list_is_found_by_its_page_and_by_its_id(sandbox: SandboxServer, client: Client) -> None:
    list_id = sandbox.add_list("Spring", id="spring-1", count=12)
    expected = {"id": "spring-1", "name": "Spring", "totalContactCount": 12}
    assert list_id == "spring-1"
    assert client.get(f"{LISTS}?page=1&pageSize=250").json()["entities"] == [expected]
    assert client.get(f"{LISTS}/spring-1").json() == expected
    assert client.get(f"{LISTS}/other").status == 404


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=-1", "pageSize=0", "pageSize=251", "page=1.5", "page="])
def test_a_page_that_cannot_be_is_refused(client: Client, query: str) -> None:
    assert client.get(f"{LISTS}?{query}").status == 400


@pytest.mark.parametrize(
    ("style", "following"),
    [
        ("number", 2),
        ("string", "2"),
        ("url", "{base}/api/v2/outbound/contactlists?page=2&pageSize=2"),
        ("path", "/api/v2/outbound/contactlists?page=2&pageSize=2"),
    ],
)
def test_the_next_page_is_told_in_the_style_of_the_settings(
    sandbox: SandboxServer, client: Client, style: str, following: Any
) -> None:
    sandbox.configure(page_style=style)
    for number in range(3):
        sandbox.add_list(f"List {number}")
    told = client.get(f"{LISTS}?page=1&pageSize=2").json()["pagination"]
    expected = following.format(base=sandbox.url) if isinstance(following, str) else following
    assert told["nextPage"] == expected
    assert (told["pageNumber"], told["pageSize"], told["pageCount"], told["total"]) == (1, 2, 2, 3)


@pytest.mark.parametrize(
    ("last", "pagination"),
    [("null", {"nextPage": None}), ("missing", {}), ("empty", {"nextPage": ""}), ("always", {"nextPage": 3})],
)
def test_the_last_page_ends_in_the_form_of_the_settings(
    sandbox: SandboxServer, client: Client, last: str, pagination: dict[str, object]
) -> None:
    sandbox.configure(last_page=last, page_extras=False)
    for number in range(3):
        sandbox.add_list(f"List {number}")
    got = client.get(f"{LISTS}?page=2&pageSize=2").json()
    assert got["pagination"] == pagination
    assert [entity["name"] for entity in got["entities"]] == ["List 2"]


@pytest.mark.parametrize(("form", "present"), [("empty", True), ("missing", False)])
def test_a_page_beyond_the_last_has_no_entities(
    sandbox: SandboxServer, client: Client, form: str, present: bool
) -> None:
    sandbox.configure(empty_entities=form)
    sandbox.add_list("Spring")
    got = client.get(f"{LISTS}?page=2").json()
    assert got.get("entities") == ([] if present else None)
    assert ("entities" in got) is present


def test_following_the_pages_finds_every_list_once(sandbox: SandboxServer, client: Client) -> None:
    for number in range(23):
        sandbox.add_list(f"List {number}")
    names, page = [], 1
    while page:
        got = client.get(f"{LISTS}?page={page}&pageSize=5").json()
        names += [entity["name"] for entity in got["entities"]]
        page = got["pagination"]["nextPage"]
    assert names == [f"List {number}" for number in range(23)]


def test_a_platform_that_ignores_the_page_repeats_the_first(sandbox: SandboxServer, client: Client) -> None:
    sandbox.configure(ignore_page=True)
    for number in range(4):
        sandbox.add_list(f"List {number}")
    pages = [client.get(f"{LISTS}?page={number}&pageSize=2").json() for number in (1, 2, 7)]
    assert [page["entities"][0]["name"] for page in pages] == ["List 0"] * 3
    assert [page["pagination"]["nextPage"] for page in pages] == [2, 3, 8]


@pytest.mark.parametrize(
    ("field", "expected"), [("totalContactCount", {"totalContactCount": 7}), ("size", {"size": 7}), ("missing", {})]
)
def test_the_count_has_the_name_of_the_settings(
    sandbox: SandboxServer, client: Client, field: str, expected: dict[str, int]
) -> None:
    sandbox.configure(count_field=field)
    sandbox.add_list("Spring", id="a", count=7)
    assert client.get(f"{LISTS}/a").json() == {"id": "a", "name": "Spring", **expected}


def test_the_count_shows_writes_at_once_unless_it_lags(
    sandbox: SandboxServer, client: Client, contacts: Callable[[int], list[dict[str, Any]]]
) -> None:
    list_id = sandbox.add_list("Spring", count=5)
    client.add(list_id, contacts(3))
    assert client.get(f"{LISTS}/{list_id}").json()["totalContactCount"] == 8
    sandbox.configure(count_lag_s=3600.0)
    client.add(list_id, contacts(4))
    assert client.get(f"{LISTS}/{list_id}").json()["totalContactCount"] == 8
    assert client.get(LISTS).json()["entities"][0]["totalContactCount"] == 8
    assert sandbox.stats()["lists"][list_id]["total"] == 12


def test_a_count_that_is_seldom_renewed_repeats_itself(
    sandbox: SandboxServer, client: Client, contacts: Callable[[int], list[dict[str, Any]]]
) -> None:
    sandbox.configure(count_every=3)
    list_id = sandbox.add_list("Spring")
    shown = []
    for _ in range(7):
        shown.append(client.get(f"{LISTS}/{list_id}").json()["totalContactCount"])
        client.add(list_id, contacts(1))
    assert shown == [0, 0, 0, 3, 3, 3, 6]


def test_a_drawn_lag_is_different_for_each_write_and_the_same_for_each_seed(
    sandbox: SandboxServer, client: Client, contacts: Callable[[int], list[dict[str, Any]]]
) -> None:
    def lags() -> list[float]:
        sandbox.reset()
        sandbox.configure(count_lag_jitter_s=1000.0, seed=7)
        list_id = sandbox.add_list("Spring")
        again = client.sign_in()
        start = sandbox._state.clock()
        assert again.get(f"{LISTS}/{list_id}").status == 200
        for _ in range(4):
            again.add(list_id, contacts(1))
        return sorted(round((when - start) / 100) for when, _ in sandbox._state.lists[list_id].count._coming)

    first = lags()
    assert first == lags()
    assert len(first) == 4
    assert len(set(first)) >= 3


def test_the_lag_of_a_delayed_write_counts_from_that_write() -> None:
    times = iter([0.0, 0.0, 9.0, 9.0, 9.0])
    state = State(Settings(count_lag_s=5.0), clock=lambda: next(times), wall=lambda: 0.0)
    made = state.add_list("Spring", None, 0)
    state.store_later(made, [{}], b"[{}]", when=3.0)
    assert state.now() == 0.0
    assert state.now() == 9.0
    assert made.count.peek(8.0) == 1


def test_a_count_is_what_was_visible_at_that_time() -> None:
    count = ShownCount()
    count.add(10, 5.0)
    count.add(1, 3.0)
    assert [count.read(now, 1) for now in (0.0, 3.0, 4.9, 5.0)] == [0, 1, 1, 11]
