"""Adding contacts: `cxone-v2-dialect.md` section 3, over a connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Rig

LISTS = "/api/v2/outbound/contactlists"


def ids(count: int) -> list[str]:
    return [f"C-{number:06d}" for number in range(count)]


def test_a_good_batch_is_stored_and_told_with_ids(rig: Rig) -> None:
    got = rig.client.add(rig.list_id, rig.contacts(3))
    answer = got.json()
    assert got.status == 201
    assert [{**contact, "id": ""} for contact in answer] == [{**contact, "id": ""} for contact in rig.contacts(3)]
    assert len({contact["id"] for contact in answer}) == 3
    assert sorted(answer[0]) == sorted(rig.sandbox.contacts(rig.list_id)[0])
    assert answer == rig.sandbox.contacts(rig.list_id)


def test_the_largest_batch_is_taken_and_one_more_is_not(rig: Rig) -> None:
    assert rig.client.add(rig.list_id, rig.contacts(1000)).status == 201
    assert rig.client.add(rig.list_id, rig.contacts(1001)).status == 400
    stats = rig.sandbox.stats()["lists"][rig.list_id]
    assert (stats["stored"], stats["batches"]) == (1000, 1)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/json; charset=utf-8"}, 201),
        ({"Accept": None}, 406),
        ({"Accept": "text/html"}, 406),
        ({"Accept": "application/json, text/plain"}, 201),
        ({"Transfer_Encoding": None}, 400),
        ({"Content_Encoding": "gzip"}, 415),
        ({"Authorization": None}, 401),
    ],
)
def test_each_header_is_required(rig: Rig, changes: dict[str, str | None], status: int) -> None:
    assert rig.client.add(rig.list_id, rig.contacts(1), **changes).status == status


def test_a_request_without_any_body_is_answered_411(rig: Rig) -> None:
    headers = {"Authorization": f"Bearer {rig.client.token}", "Accept": "application/json"}
    rig.client.connection.putrequest("POST", f"{LISTS}/{rig.list_id}/contacts")
    for name, value in {**headers, "Content-Type": "application/json"}.items():
        rig.client.connection.putheader(name, value)
    rig.client.connection.endheaders()
    response = rig.client.connection.getresponse()
    assert response.status == 411
    response.close()


def test_chunks_are_not_required_where_the_settings_say_so(rig: Rig) -> None:
    rig.sandbox.configure(require_chunked=False)
    assert rig.client.add(rig.list_id, rig.contacts(1), Transfer_Encoding=None).status == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b'[{"a":1}] x',
        b"\xff",
        b"[NaN]",
        b'{"contacts":[]}',
        b"[1]",
        b"[{}]",
    ],
)
def test_a_body_that_is_no_batch_is_refused(rig: Rig, body: bytes) -> None:
    assert rig.client.add(rig.list_id, body or b" ").status == 400
    assert rig.sandbox.contacts(rig.list_id) == []


@pytest.mark.parametrize(
    ("wrapped", "bare_status", "wrapped_status", "more_status"), [(False, 201, 400, 400), (True, 400, 201, 400)]
)
def test_the_body_is_bare_or_wrapped_as_the_settings_say(
    rig: Rig, wrapped: bool, bare_status: int, wrapped_status: int, more_status: int
) -> None:
    rig.sandbox.configure(wrapped=wrapped)
    assert rig.client.add(rig.list_id, rig.contacts(2)).status == bare_status
    assert rig.client.add(rig.list_id, {"contacts": rig.contacts(2)}).status == wrapped_status
    assert rig.client.add(rig.list_id, {"contacts": rig.contacts(2), "more": 1}).status == more_status
    assert rig.stored_ids() == ids(2)


def test_a_body_above_the_limit_is_answered_413_and_the_connection_goes_on(rig: Rig) -> None:
    rig.sandbox.configure(max_body_bytes=len(json.dumps(rig.contacts(10))))
    assert rig.client.add(rig.list_id, rig.contacts(10)).status == 201
    assert rig.client.add(rig.list_id, rig.contacts(11)).status == 413
    assert rig.client.add(rig.list_id, rig.contacts(5)).status == 201
    assert rig.sandbox.stats()["lists"][rig.list_id]["stored"] == 15


def test_an_unknown_list_is_answered_404(rig: Rig) -> None:
    assert rig.client.add("nowhere", rig.contacts(1)).status == 404


def test_one_bad_contact_refuses_the_whole_batch(rig: Rig) -> None:
    got = rig.client.add(
        rig.list_id, [rig.make_contact(0), rig.make_contact(1, phone="12"), rig.make_contact(2, doNotCall=None)]
    )
    assert got.status == 400
    assert [error["path"] for error in got.json()["details"]] == ["[1].phone", "[2].doNotCall"]
    assert rig.sandbox.contacts(rig.list_id) == []


PATHS: dict[str, list[dict[str, str]]] = {
    "bracket": [{"path": "[0]"}, {"path": "[1].a/b~c"}, {"path": "[2].phone"}],
    "contacts": [{"path": "contacts[0]"}, {"path": "contacts[1].a/b~c"}, {"path": "contacts[2].phone"}],
    "pointer": [{"path": "/0"}, {"path": "/1/a~1b~0c"}, {"path": "/2/phone"}],
    "jsonpath": [{"path": "$[0]"}, {"path": "$[1].a/b~c"}, {"path": "$[2].phone"}],
    "field_name": [{"fieldName": ""}, {"fieldName": "a/b~c"}, {"fieldName": "phone"}],
}


@pytest.mark.parametrize("key", ["details", "errors"])
@pytest.mark.parametrize("form", PATHS)
def test_field_errors_say_where_in_the_form_of_the_settings(rig: Rig, form: str, key: str) -> None:
    rig.sandbox.configure(path_form=form, error_key=key)
    errors = rig.client.add(rig.list_id, [None, rig.make_contact(**{"a/b~c": 1}), rig.make_contact(phone="x")]).json()[
        key
    ]
    assert [{name: error[name] for name in error if name != "message"} for error in errors] == PATHS[form]


def test_field_errors_may_be_told_in_part_or_not_at_all(rig: Rig) -> None:
    bad = [rig.make_contact(number, phone="x") for number in range(5)]
    rig.sandbox.configure(max_errors=2)
    assert len(rig.client.add(rig.list_id, bad).json()["details"]) == 2
    rig.sandbox.configure(path_form="none")
    assert rig.client.add(rig.list_id, bad).json().keys() == {"status", "code", "message"}


@pytest.mark.parametrize("echo", [True, False])
def test_a_careless_platform_repeats_the_refused_value(rig: Rig, echo: bool) -> None:
    rig.sandbox.configure(echo_values=echo)
    got = rig.client.add(rig.list_id, [rig.make_contact(phone="2025550142")])
    assert (b"2025550142" in got.body) is echo


def test_a_key_that_is_taken_is_answered_409_with_its_paths(rig: Rig) -> None:
    rig.sandbox.configure(unique_key="externalId")
    assert rig.client.add(rig.list_id, [rig.make_contact(0), rig.make_contact(1)]).status == 201
    got = rig.client.add(
        rig.list_id, [rig.make_contact(2), rig.make_contact(1), rig.make_contact(3), rig.make_contact(2)]
    )
    assert got.status == 409
    assert [error["path"] for error in got.json()["details"]] == ["[1].externalId", "[3].externalId"]
    assert rig.client.add(rig.list_id, [rig.make_contact(0), rig.make_contact(9, phone="x")]).status == 400
    assert rig.client.add(rig.list_id, [rig.make_contact(2), rig.make_contact(9, externalId=...)]).status == 201
    assert rig.client.add(rig.sandbox.add_list("Other"), [rig.make_contact(0)]).status == 201
    assert rig.sandbox.stats()["lists"][rig.list_id]["stored"] == 4


# --- forms of the answer ----------------------------------------------------------------------------------------------


def test_a_short_answer_tells_of_some_in_another_order(rig: Rig) -> None:
    rig.sandbox.configure(answer="short", short_share=0.8)
    got = rig.client.add(rig.list_id, rig.contacts(20))
    told = [contact["externalId"] for contact in got.json()]
    assert got.status == 201
    assert len(told) == len(set(told)) == 16
    assert told != sorted(told)
    by_id = {contact["id"]: contact for contact in rig.sandbox.contacts(rig.list_id)}
    assert all(by_id[contact["id"]] == contact for contact in got.json())
    assert rig.stored_ids() == ids(20)


def test_no_two_short_answers_leave_out_the_same(rig: Rig) -> None:
    rig.sandbox.configure(answer="short", short_share=0.5)
    told = [
        [contact["externalId"] for contact in rig.client.add(rig.list_id, rig.contacts(20)).json()] for _ in range(2)
    ]
    assert set(told[0]) != set(told[1])


def test_counts_tell_how_many_were_stored(rig: Rig) -> None:
    rig.sandbox.configure(answer="counts")
    got = rig.client.add(rig.list_id, rig.contacts(3))
    assert (got.status, got.json()) == (200, {"successCount": 3, "failureCount": 0, "errors": []})
    assert rig.client.add(rig.list_id, [rig.make_contact(phone="x")]).status == 400


def test_partial_counts_store_the_good_contacts_and_tell_of_the_others(rig: Rig) -> None:
    rig.sandbox.configure(answer="counts", partial=True)
    got = rig.client.add(
        rig.list_id, [rig.make_contact(0), rig.make_contact(7, phone="x", doNotCall=1), rig.make_contact(1)]
    )
    answer = got.json()
    assert (got.status, answer["successCount"], answer["failureCount"]) == (200, 2, 1)
    assert [error["path"] for error in answer["errors"]] == ["[1].phone", "[1].doNotCall"]
    assert rig.stored_ids() == ids(2)


def test_an_empty_answer_stores_and_says_nothing(rig: Rig) -> None:
    rig.sandbox.configure(answer="empty")
    got = rig.client.add(rig.list_id, rig.contacts(3))
    assert (got.status, got.body) == (204, b"")
    assert rig.stored_ids() == ids(3)


def test_a_207_judges_each_contact_by_itself(rig: Rig) -> None:
    rig.sandbox.configure(answer="per_contact", unique_key="externalId")
    got = rig.client.add(
        rig.list_id, [rig.make_contact(0), rig.make_contact(1, phone="x"), rig.make_contact(0), rig.make_contact(1)]
    )
    assert got.status == 207
    assert [member["status"] for member in got.json()] == [201, 400, 409, 201]
    assert [member["error"]["path"] for member in got.json() if "error" in member] == ["[1].phone", "[2].externalId"]
    told = [member["id"] for member in got.json() if "id" in member]
    assert [contact["id"] for contact in rig.sandbox.contacts(rig.list_id)] == told
    assert rig.stored_ids() == ids(2)


def test_a_207_may_refuse_every_contact(rig: Rig) -> None:
    rig.sandbox.configure(answer="per_contact")
    got = rig.client.add(rig.list_id, [rig.make_contact(phone="x"), 7])
    assert [member["status"] for member in got.json()] == [400, 400]
    assert rig.sandbox.stats()["lists"][rig.list_id]["batches"] == 0


@pytest.mark.parametrize("absolute", [False, True])
def test_a_job_is_polled_until_its_contacts_are_stored(rig: Rig, absolute: bool) -> None:
    let_pass = rig.hold_clock()
    rig.sandbox.configure(answer="job", job_s=0.1, absolute_location=absolute)
    got = rig.client.add(rig.list_id, rig.contacts(3))
    location = got.headers["Location"]
    path = location.removeprefix(rig.sandbox.url)
    assert got.status == 202
    assert location.startswith(rig.sandbox.url) is absolute
    assert rig.client.get(path).json()["status"] == "running"
    assert rig.sandbox.contacts(rig.list_id) == []
    let_pass(0.11)
    told = rig.client.get(path).json()
    assert (told["status"], told["successCount"], told["failureCount"]) == ("succeeded", 3, 0)
    assert rig.stored_ids() == ids(3)


def test_a_failed_job_stores_nothing(rig: Rig) -> None:
    rig.sandbox.configure(answer="job", job_s=0.0, job_outcome="failed")
    told = rig.client.get(rig.client.add(rig.list_id, rig.contacts(3)).headers["Location"]).json()
    assert (told["status"], told["successCount"], told["failureCount"]) == ("failed", 0, 3)
    assert rig.sandbox.contacts(rig.list_id) == []
    assert rig.client.get("/api/v2/outbound/jobs/none").status == 404


def test_a_column_named_id_does_not_hide_the_contacts_own_id(rig: Rig) -> None:
    answer = rig.client.add(rig.list_id, [rig.make_contact(0, id="mine")]).json()
    assert answer[0]["id"] != "mine"
    assert rig.sandbox.contacts(rig.list_id) == answer


def test_a_large_upload_may_ask_first(rig: Rig) -> None:
    headers = {
        "Authorization": f"Bearer {rig.client.token}",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
        "Expect": "100-continue",
    }
    assert (
        rig.client.send(
            "POST", f"{LISTS}/{rig.list_id}/contacts", [json.dumps(rig.contacts(2)).encode()], headers
        ).status
        == 201
    )
