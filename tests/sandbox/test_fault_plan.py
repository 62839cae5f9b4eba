"""Plans of faults: their JSON form, their checks and their determinism."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.sandbox import FAULT_KINDS, Fault, FaultPlan
from dialfeed.sandbox.faults import TARGETS, Injector

if TYPE_CHECKING:
    from collections.abc import Sequence


def struck(plan: FaultPlan, requests: int, target: str = "contacts") -> list[int]:
    injector = Injector(plan)
    return [number for number in range(1, requests + 1) if injector.strike(target).shape]


def plan_of(*rules: Fault, seed: int = 0) -> FaultPlan:
    return FaultPlan(seed, rules)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ({"at": (3, 7)}, [3, 7]),
        ({"at": [3, 7]}, [3, 7]),
        ({"first": 3}, [1, 2, 3]),
        ({"first": 2, "after": 4}, [5, 6]),
        ({"every": 4}, [4, 8]),
        ({"every": 4, "after": 5}, [8]),
        ({"share": 1.0}, list(range(1, 11))),
        ({"share": 1}, list(range(1, 11))),
        ({"share": 0.0}, []),
        ({"share": 1.0, "after": 8}, [9, 10]),
        ({"share": 1.0, "limit": 2}, [1, 2]),
        ({"every": 3, "limit": 2}, [3, 6]),
        ({"at": (1,), "first": 2, "every": 5}, [1, 2, 5, 10]),
    ],
)
def test_a_rule_strikes_the_requests_it_names(moment: dict[str, Any], expected: list[int]) -> None:
    assert struck(plan_of(Fault("status", **moment)), 10) == expected


def test_a_share_strikes_about_so_many_and_always_the_same() -> None:
    plan = plan_of(Fault("status", share=0.1), seed=5)
    first = struck(plan, 2000)
    assert 140 <= len(first) <= 260
    assert struck(plan, 2000) == first
    assert struck(replace(plan, seed=6), 2000) != first


def test_two_rules_with_the_same_share_strike_different_requests() -> None:
    quiet = Fault("status", share=0.0)
    rule = Fault("status", share=0.1)
    assert struck(plan_of(rule), 500) != struck(plan_of(quiet, rule), 500)


def test_whether_a_request_is_struck_does_not_depend_on_those_before_it() -> None:
    plan = plan_of(Fault("status", share=0.2), seed=1)
    whole = struck(plan, 300)
    late = struck(FaultPlan(1, (replace(plan.rules[0], after=200),)), 300)
    assert [number for number in whole if number > 200] == late


def test_the_first_rule_that_strikes_shapes_the_answer_and_others_happen_beside() -> None:
    rules = (
        Fault("revoke_tokens", at=(2,)),
        Fault("stall", at=(2,)),
        Fault("status", first=5),
        Fault("other_writer", at=(2,)),
    )
    injector = Injector(plan_of(*rules))
    strikes = [injector.strike("contacts") for _ in range(3)]
    assert [strike.shape.kind for strike in strikes if strike.shape] == ["status", "stall", "status"]
    assert [[fault.kind for fault in strike.beside] for strike in strikes] == [
        [],
        ["revoke_tokens", "other_writer"],
        [],
    ]
    assert injector.injected == {"status": 2, "stall": 1, "revoke_tokens": 1, "other_writer": 1}


def test_each_target_has_numbers_of_its_own() -> None:
    injector = Injector(plan_of(Fault("status", target="token", at=(2,))))
    order = ["contacts", "token", "contacts", "token", "lists"]
    assert [bool(injector.strike(target).shape) for target in order] == [False, False, False, True, False]


def test_another_plan_numbers_anew_and_keeps_the_count_of_what_struck() -> None:
    injector = Injector(plan_of(Fault("status", share=1.0, limit=1)))
    injector.strike("contacts")
    injector.change(plan_of(Fault("stall", share=1.0, limit=1)))
    strikes = [injector.strike("contacts") for _ in range(2)]
    assert [(strike.ordinal, bool(strike.shape)) for strike in strikes] == [(1, True), (2, False)]
    assert injector.injected == {"status": 1, "stall": 1}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "must be a JSON object"),
        ({"rule": []}, "must be a JSON object with 'seed' and 'rules'"),
        ({"seed": "1"}, "'seed' must be a whole number"),
        ({"rules": {}}, "'rules' a list"),
        ({"rules": [1]}, "rules[0]: A fault must be a JSON object"),
        ({"rules": [{"at": [1]}]}, "rules[0]: 'kind' must be one of 'status'"),
        ({"rules": [{"kind": "flood", "at": [1]}]}, "rules[0]: 'kind' must be one of 'status'"),
        ({"rules": [{"kind": "stall", "at": [1]}, {"kind": "status"}]}, "rules[1]: A fault needs one of 'at'"),
        ({"rules": [{"kind": "status", "at": [1], "keep": 2}]}, "'status' takes no 'keep'"),
        ({"rules": [{"kind": "status", "at": [1], "target": "world"}]}, "'target' must be one of 'contacts'"),
        ({"rules": [{"kind": "status", "at": ["1"]}]}, "'at' must be of type int"),
        ({"rules": [{"kind": "status", "at": 1}]}, "'at' must be a list"),
        ({"rules": [{"kind": "status", "share": 1.5}]}, "'share' must be between 0 and 1"),
        ({"rules": [{"kind": "status", "first": 1, "status": 99}]}, "'status' must be between 200 and 599"),
        ({"rules": [{"kind": "status", "first": -1}]}, "'first' must not be negative"),
        ({"rules": [{"kind": "status", "first": 1, "sped": 1}]}, "has no 'sped'; known are after, at"),
        ({"rules": [{"kind": "partial_store", "first": 1, "target": "token"}]}, "the target 'contacts' only"),
        ({"rules": [{"kind": "status", "first": 1, "when": "later"}]}, "'when' must be one of"),
        ({"rules": [{"kind": "status", "at_s": [1.0]}]}, "'status' takes no 'at_s'"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_in_one_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        FaultPlan.from_json(data)
    assert sentence in str(caught.value)


MOMENTS: Sequence[dict[str, Any]] = (
    {"at": (1, 5)},
    {"first": 2, "after": 3},
    {"every": 7, "limit": 2},
    {"share": 0.5},
)
PARAMETERS: dict[str, Any] = {
    "when": "after_write",
    "status": 503,
    "early": True,
    "seconds": 0.5,
    "retry_after": "date",
    "size": 10,
    "keep": 3,
    "reset": True,
    "location": "/there",
    "list_id": "a",
    "at_s": (0.5,),
}


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    kind: Any = draw(st.sampled_from(sorted(FAULT_KINDS)))
    about = FAULT_KINDS[kind]
    target: Any = "contacts" if about.contacts_only else draw(st.sampled_from(TARGETS))
    chosen = draw(st.sets(st.sampled_from(about.parameters))) if about.parameters else set()
    return Fault(kind, target, **draw(st.sampled_from(MOMENTS)), **{name: PARAMETERS[name] for name in chosen})


@given(st.builds(FaultPlan, st.integers(), st.lists(faults(), max_size=4)))
def test_a_plan_survives_its_json_form(plan: FaultPlan) -> None:
    assert FaultPlan.from_json(plan.to_json()) == plan


def test_every_kind_says_what_it_does_and_names_parameters_that_exist() -> None:
    for about in FAULT_KINDS.values():
        assert about.does.endswith(".")
        assert set(about.parameters) <= PARAMETERS.keys()
