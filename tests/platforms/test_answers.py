"""What an answer says belongs to contacts by identity; what it does not say stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl
import pytest
from client_world import ClientWorld, people, raw_server, told, wire
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.delivery.answers import Accepted, Answer, Refused, Unknown
from dialfeed.delivery.ports import Identity
from dialfeed.platforms.cxone.answers import read_accepted, read_refused
from dialfeed.platforms.cxone.client import Dialect

# --- forms, over HTTP ---------------------------------------------------------------------------------------------

POISON = (3, 7)
"""Of ten contacts, those with a cell that the sandbox finds too long."""

PATH_FORMS = ("bracket", "contacts", "pointer", "jsonpath")


def ten_with_poison() -> pl.DataFrame:
    notes = ["x" * 50 if position in POISON else "fine" for position in range(10)]
    return people(10).with_columns(note=pl.Series(notes))


@pytest.mark.parametrize("error_key", ["details", "errors"])
@pytest.mark.parametrize("path_form", PATH_FORMS)
def test_every_form_of_path_names_the_refused_contacts(make_rig: Any, path_form: str, error_key: str) -> None:
    rig = make_rig(max_cell=40, path_form=path_form, error_key=error_key)
    answer = rig.send(ten_with_poison())
    assert isinstance(answer, Refused)
    assert sorted(answer.contacts) == list(POISON)
    for words in answer.contacts.values():
        assert words.field == "note"
        assert words.code == "refused.by_platform"
        assert "40" in words.text, "the platform's own words"


@pytest.mark.parametrize("path_form", ["field_name", "none"])
def test_an_error_without_a_place_names_nobody(make_rig: Any, path_form: str) -> None:
    answer = make_rig(max_cell=40, path_form=path_form).send(ten_with_poison())
    assert isinstance(answer, Refused)
    assert answer.contacts == {}
    assert answer.words.text


def test_a_key_that_is_taken_is_a_duplicate_at_the_platform(make_rig: Any) -> None:
    rig = make_rig(unique_key="externalId")
    assert isinstance(rig.send(people(4)), Accepted)
    answer = rig.send(people(10))
    assert isinstance(answer, Refused)
    assert answer.status == 409
    assert {position: words.code for position, words in answer.contacts.items()} == dict.fromkeys(
        range(4), "refused.duplicate_key"
    )


@pytest.mark.parametrize("form", ["array", "counts", "job", "empty", "per_contact"])
@pytest.mark.parametrize("absolute", [True, False])
def test_every_form_of_answer_accounts_for_a_good_batch(make_rig: Any, form: str, absolute: bool) -> None:
    rig = make_rig(answer=form, absolute_location=absolute)
    answer = rig.send()
    assert isinstance(answer, Accepted)
    assert not answer.refused
    assert not answer.unaccounted
    assert rig.stored == 10
    stored = {contact["externalId"]: contact["id"] for contact in rig.sandbox.contacts(rig.list_id)}
    for position, name in answer.ids.items():
        assert stored[f"C-{position:06}"] == name
    assert len(answer.ids) in ({10} if form == "array" else {0, 10})


@pytest.mark.parametrize("form", ["counts", "job", "per_contact"])
@pytest.mark.parametrize("path_form", PATH_FORMS)
def test_a_partly_taken_batch_refuses_the_named_and_delivers_the_others(
    make_rig: Any, form: str, path_form: str
) -> None:
    rig = make_rig(answer=form, partial=True, max_cell=40, path_form=path_form)
    answer = rig.send(ten_with_poison())
    assert isinstance(answer, Accepted)
    assert sorted(answer.refused) == list(POISON)
    assert answer.unaccounted == ()
    assert rig.stored == 8
    assert {words.field for words in answer.refused.values()} == {"note"}


@pytest.mark.parametrize("form", ["counts", "job", "per_contact"])
def test_a_partly_taken_batch_without_names_says_how_many_are_stored_and_not_who(make_rig: Any, form: str) -> None:
    rig = make_rig(answer=form, partial=True, max_cell=40, path_form="none")
    answer = rig.send(ten_with_poison())
    assert isinstance(answer, Accepted)
    assert answer.refused == {}
    assert len(answer.unaccounted) == 10
    assert answer.stored_unnamed == 8 == rig.stored


def test_a_short_shuffled_answer_delivers_only_those_it_names(make_rig: Any) -> None:
    rig = make_rig(answer="short", short_share=0.7)
    answer = rig.send()
    assert isinstance(answer, Accepted)
    assert len(answer.unaccounted) == 3
    assert answer.stored_unnamed is None
    stored = {contact["externalId"]: contact["id"] for contact in rig.sandbox.contacts(rig.list_id)}
    assert len(answer.ids) == 7
    for position, name in answer.ids.items():
        assert stored[f"C-{position:06}"] == name


def test_a_wrapped_body_is_a_setting(make_rig: Any) -> None:
    rig = make_rig(wrapped=True)
    rig.world.dialect = Dialect(wrapped=True)
    assert isinstance(rig.send(), Accepted)


# --- jobs ---------------------------------------------------------------------------------------------------------


def test_a_job_that_fails_stored_nothing(make_rig: Any) -> None:
    rig = make_rig(answer="job", job_outcome="failed")
    assert isinstance(rig.send(), Refused)
    assert rig.stored == 0


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("status", {"status": 403}), ("status", {"status": 404}), ("status", {"status": 500}), ("redirect", {}),
     ("html", {"status": 200})],
)  # fmt: skip
def test_a_job_that_cannot_be_asked_may_be_stored(make_rig: Any, kind: str, parameters: dict[str, Any]) -> None:
    rig = make_rig(answer="job")
    rig.strike(kind, target="job", share=1.0, **parameters)
    assert isinstance(rig.send(), Unknown)


def test_a_job_is_asked_again_after_a_revoked_token_and_a_429(make_rig: Any) -> None:
    rig = make_rig(answer="job")
    rig.strike("revoke_tokens", target="job")
    assert isinstance(rig.send(), Accepted)
    rig.strike("rate_limited", target="job", seconds=3.0)
    assert isinstance(rig.send(people(5, 20)), Accepted)
    assert 3.0 in rig.world.pace.pauses


JOB_STATES = [
    ('{"status": "succeeded"}', Accepted),
    ('{"state": "DONE", "result": {"successCount": 2, "failureCount": 0}}', Accepted),
    ('{"successCount": 2, "failureCount": 0}', Accepted),
    ('{"status": "failed", "message": "no"}', Refused),
    ('{"status": "waiting for its turn"}', Unknown),
    ("{}", Unknown),
    ('"soon"', Unknown),
]


@pytest.mark.parametrize(("said", "kind"), JOB_STATES, ids=[said for said, _ in JOB_STATES])
def test_only_a_job_that_says_so_is_done(monkeypatch: pytest.MonkeyPatch, said: str, kind: type[Answer]) -> None:
    """A state that we do not know is waited for, and in the end the outcome is unknown."""
    monkeypatch.setattr("dialfeed.platforms.cxone.client._JOB_POLLS", 5)

    def say(head: bytes) -> bytes | None:
        if b"oauth" in head:
            return told("200 OK", '{"access_token": "t"}')
        if head.startswith(b"POST"):
            return told("202 Accepted", "", "Location: /api/v2/outbound/jobs/1\r\n")
        return told("200 OK", said)

    async def do() -> Answer:
        async with raw_server(say) as url, ClientWorld(url).client() as client:
            return await client.send("1", wire(people(2)))

    assert type(asyncio.run(do())) is kind


# --- arrays, by identity ------------------------------------------------------------------------------------------

identifier = st.one_of(st.none(), st.sampled_from(["A", "B", "C", "D"]))
identity = st.tuples(identifier, identifier, identifier).filter(any)
batch = st.lists(identity, min_size=1, max_size=12)


def member(who: Identity, number: int) -> dict[str, Any]:
    names = ("externalId", "phone", "email")
    return {"id": f"id-{number}", **{name: value for name, value in zip(names, who, strict=True) if value is not None}}


def read(members: Sequence[Any], people_sent: Sequence[Identity], status: int = 201) -> Accepted:
    answer = read_accepted(status, orjson.dumps(members), people_sent)
    assert isinstance(answer, Accepted)
    return answer


@given(batch, st.randoms(use_true_random=False), st.data())
def test_a_shuffled_answer_is_matched_by_identity(sent: list[Identity], chance: Any, data: st.DataObject) -> None:
    """Any members in any order: as many are delivered as are told of, and each id is with a contact of its identity."""
    kept = data.draw(st.integers(0, len(sent)))
    members = [member(who, number) for number, who in enumerate(sent)]
    told_of = chance.sample(list(enumerate(members)), kept)
    answer = read([told for _, told in told_of], sent)
    assert len(sent) - len(answer.unaccounted) == kept
    assert not answer.refused
    assert answer.stored_unnamed is None
    by_id = {told["id"]: sent[number] for number, told in told_of}
    for position, name in answer.ids.items():
        assert sent[position] == by_id[name]
    assert set(answer.unaccounted).isdisjoint(answer.ids)


@given(st.integers(2, 30), st.data())
def test_failed_members_refuse_their_own_contact_and_no_other(count: int, data: st.DataObject) -> None:
    sent: list[Identity] = [(f"C{number}", f"+1{number}", None) for number in range(count)]
    failed = data.draw(st.sets(st.integers(0, count - 1)))
    order = data.draw(st.permutations(range(count)))
    members = [
        {"externalId": f"C{number}", "status": 400, "error": {"message": f"bad {number}"}}
        if number in failed
        else member(sent[number], number)
        for number in order
    ]
    answer = read(members, sent, 207)
    assert {position: words.text for position, words in answer.refused.items()} == {n: f"bad {n}" for n in failed}
    assert answer.unaccounted == ()


@pytest.mark.parametrize("mark", [{"status": "400"}, {"status": "failed"}, {"success": False}, {"error": "x"}])
def test_a_failure_may_be_told_in_many_ways(mark: dict[str, Any]) -> None:
    sent: list[Identity] = [("A", None, None), ("B", None, None)]
    answer = read([{"externalId": "A", **mark}, {"externalId": "B", "id": "2"}], sent)
    assert sorted(answer.refused) == [0]
    assert answer.unaccounted == ()


@pytest.mark.parametrize("status", ["201", 201, "created", "ok", None])
def test_other_marks_are_no_failure(status: Any) -> None:
    answer = read([{"externalId": "A", "id": "1", "status": status}], [("A", None, None)])
    assert answer.ids == {0: "1"}


@pytest.mark.parametrize("index", [-1, 2, 99, True, 1.5, "1"])
def test_a_place_that_is_not_in_the_request_names_nobody(index: Any) -> None:
    sent: list[Identity] = [("A", None, None), ("B", None, None)]
    answer = read([{"index": index, "status": 400, "error": "no"}], sent, 207)
    assert answer.refused == {}
    assert answer.unaccounted == (0, 1)


def test_members_without_identity_are_counted_if_all_are_there() -> None:
    sent: list[Identity] = [("A", None, None), ("B", None, None), ("C", None, None)]
    assert read([{"id": "1"}, {"id": "2"}, {"id": "3"}], sent) == Accepted(status=201)
    short = read([{"id": "1"}, {"id": "2"}], sent)
    assert short.unaccounted == (0, 1, 2)
    assert short.stored_unnamed == 2
    failed = read([{"id": "1"}, {"id": "2"}, {"status": 400}], sent, 207)
    assert failed.unaccounted == (0, 1, 2)
    assert failed.stored_unnamed == 2, "a failure is not stored"


def test_a_contact_that_is_told_twice_stands_for_no_other() -> None:
    sent: list[Identity] = [("A", "+1", None), ("B", "+2", None), ("C", "+1", None)]
    assert read([{"externalId": "A", "id": "1"}] * 3, sent).unaccounted == (1, 2)
    twice = read([{"externalId": "A", "id": "1"}, {"phone": "+2", "id": "2"}, {"phone": "+2", "id": "2"}], sent)
    assert (twice.unaccounted, twice.stored_unnamed) == ((2,), None)
    assert read([{"phone": "+1"}, {"phone": "+1"}, {"phone": "+2"}], sent).unaccounted == (), "these may be two"


def test_an_empty_array_accounts_for_nobody() -> None:
    assert read([], [("A", None, None)]).unaccounted == (0,)


KNOWN_NAMES = [
    "id", "status", "error", "errors", "index", "path", "field", "externalId", "successCount", "failureCount",
    "contact", "contacts", "message", "details",
]  # fmt: skip
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5) | st.sampled_from(["A", "[1]"])
odd_json = st.recursive(
    plain, lambda each: st.lists(each) | st.dictionaries(st.sampled_from(KNOWN_NAMES), each), max_leaves=12
)


@given(odd_json)
def test_no_answer_however_odd_breaks_the_reading(value: Any) -> None:
    """Whatever JSON comes: each contact is in one place at most, and every position is one of ours."""
    sent: list[Identity] = [("A", "+1", None), ("B", None, "b@example.com"), (None, "+3", None)]
    body = orjson.dumps(value)
    refused = read_refused(400, body, len(sent))
    assert set(refused.contacts) <= {0, 1, 2}
    for status in (200, 207):
        answer = read_accepted(status, body, sent)
        if isinstance(answer, Accepted):
            assert set(answer.refused) | set(answer.unaccounted) | set(answer.ids) <= {0, 1, 2}
            assert set(answer.refused).isdisjoint(answer.unaccounted)
            assert (answer.stored_unnamed or 0) <= len(answer.unaccounted)


COUNTS = [
    # successCount, failureCount, errors' positions → delivered for certain, refused, unaccounted, stored unnamed
    ((3, 0, ()), 3, 0, 0),
    ((2, 1, (1,)), 2, 1, 0),
    ((2, 1, ()), 0, 0, 3),
    ((0, 3, ()), 0, 0, 3),
    ((1, 2, (0,)), 0, 1, 2),
    ((3, 0, (1,)), 3, 0, 0),
    ((None, 1, (1,)), 2, 1, 0),
    ((None, None, (1,)), 2, 1, 0),
    ((2, None, (1,)), 2, 1, 0),
    # as text, and with a point: `expires_in` is seen so, and a count read as "all" would lose contacts
    (("2", "1", (1,)), 2, 1, 0),
    (("2", "1", ()), 0, 0, 3),
    ((2.0, 1.0, ()), 0, 0, 3),
    ((None, "1", ()), 0, 0, 3),
    (("3", "0", ()), 3, 0, 0),
]


@pytest.mark.parametrize(("said", "delivered", "refused", "open_ones"), COUNTS)
def test_counts_deliver_only_where_they_add_up(said: Any, delivered: int, refused: int, open_ones: int) -> None:
    sent: list[Identity] = [("A", None, None), ("B", None, None), ("C", None, None)]
    success, failure, places = said
    body = {"successCount": success, "failureCount": failure, "errors": [{"path": f"[{p}].phone"} for p in places]}
    answer = read_accepted(200, orjson.dumps({k: v for k, v in body.items() if v is not None}), sent)
    assert isinstance(answer, Accepted)
    assert len(answer.refused) == refused
    assert len(answer.unaccounted) == open_ones
    assert 3 - refused - open_ones == delivered


NOTHING_CERTAIN = [
    (200, '{"successCount": "two", "failureCount": 1}'),
    (200, '{"successCount": true}'),
    (200, '{"successCount": 3, "failureCount": 1}'),
    (200, '{"success": "false"}'),
    (200, '{"failed": 2}'),
    (200, '{"rejected": [{"externalId": "A"}]}'),
    (200, '{"success": 0}'),
    (200, '{"status": "error", "message": "queue full"}'),
    (200, '{"status": 500}'),
    (200, '{"statusCode": "503"}'),
    (200, "false"),
    (200, "0"),
    (200, "1"),
    (200, '"Internal error"'),
    (207, ""),
    (207, "{}"),
]


@pytest.mark.parametrize(("status", "body"), NOTHING_CERTAIN)
def test_an_answer_that_does_not_say_what_was_stored_delivers_nobody(status: int, body: str) -> None:
    sent: list[Identity] = [("A", None, None), ("B", None, None), ("C", None, None)]
    assert isinstance(read_accepted(status, body.encode(), sent), Unknown)
