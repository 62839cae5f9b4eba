"""Reading back: contacts that are missing, double or foreign are counted, and a sample claims no more than it knows."""

from __future__ import annotations

import random
from math import comb

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.contacts.readback import ReadBack, most_missing, sample

people = st.integers(min_value=0, max_value=40)


def frame(numbers: list[int]) -> pl.DataFrame:
    """Made-up contacts by their numbers; some have no phone, some an address in capitals."""
    return pl.DataFrame(
        {
            "externalId": [f"C-{number}" for number in numbers],
            "phone": [None if number % 3 else f"+1212555{number:04}" for number in numbers],
            "email": [f"Person{number}@Example.com" if number % 2 else None for number in numbers],
        },
        schema={"externalId": pl.String, "phone": pl.String, "email": pl.String},
    )


@given(st.sets(people), st.lists(people), st.integers(min_value=1, max_value=7))
def test_both_directions_are_counted_whatever_is_sent_and_whatever_is_there(
    sent: set[int], there: list[int], size: int
) -> None:
    cut = [frame(sorted(sent)[start : start + size]) for start in range(0, len(sent), size)]
    comparing = ReadBack(cut)
    for start in range(0, len(there), size):
        comparing.add(frame(there[start : start + size]))
    found = comparing.result()
    assert (found.sent, found.looked_up) == (len(sent), len(sent))
    assert found.missing == len(sent - set(there))
    assert found.twice == sum(there.count(number) > 1 for number in sent)
    assert found.surplus == sum(number not in sent for number in there)


def test_a_contact_is_the_same_in_another_case_and_without_what_was_withheld() -> None:
    sent = frame([1]).with_columns(pl.lit("+12125559999").alias("withheld.phone"))
    comparing = ReadBack([sent])
    comparing.add(frame([1]).with_columns(pl.col("email").str.to_uppercase()))
    assert comparing.result().missing == 0


def test_of_a_sample_nothing_is_said_about_foreign_contacts() -> None:
    comparing = ReadBack([frame([1, 2])], of=100)
    comparing.add(frame([1, 50]))
    found = comparing.result()
    assert (found.sent, found.looked_up, found.missing, found.surplus) == (100, 2, 1, None)


@given(st.integers(0, 60), st.integers(0, 80), st.integers(1, 9))
def test_a_sample_depends_on_its_seed_and_not_on_how_contacts_are_cut(total: int, size: int, cut: int) -> None:
    everybody = list(range(total))
    whole = pl.concat([frame([]), *sample([frame(everybody)], total, size, "run-1")])
    parts = [frame(everybody[start : start + cut]) for start in range(0, total, cut)]
    assert pl.concat([frame([]), *sample(parts, total, size, "run-1")]).equals(whole)
    assert len(whole) == whole["externalId"].n_unique() == min(size, total)


# --- what a sample says of the whole ------------------------------------------------------------------------------


def chance(seen: int, drawn: int, missing: int, total: int) -> float:
    """The chance of at most `seen` missing ones in a sample, by counting."""
    ways = (comb(missing, each) * comb(total - missing, drawn - each) for each in range(seen + 1))
    return sum(ways) / comb(total, drawn)


@given(st.data())
def test_the_bound_is_the_largest_number_that_the_sample_does_not_speak_against(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 60))
    drawn = data.draw(st.integers(1, total))
    seen = data.draw(st.integers(0, drawn))
    bound = most_missing(seen, drawn, total, 0.95)
    assert seen <= bound <= total - (drawn - seen)
    assert bound == seen or chance(seen, drawn, bound, total) > 0.05
    more = bound + 1
    assert more > total - (drawn - seen) or chance(seen, drawn, more, total) <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("missing", "looked_up", "sent", "most"),
    [
        (0, 1000, 1_000_000, 2990),  # the rule of three says 3,000
        (0, 300, 1_000_000, 9935),
        (0, 500, 1000, 4),
        (3, 1000, 1000, 3),
        (0, 0, 0, 0),
    ],
)
def test_known_bounds(missing: int, looked_up: int, sent: int, most: int) -> None:
    assert most_missing(missing, looked_up, sent, 0.95) == pytest.approx(most, rel=0.002)


@settings(max_examples=5)
@given(st.integers(0, 1000))
def test_the_bound_holds_in_at_least_95_of_100_samples(seed: int) -> None:
    drawing = random.Random(seed)
    total, missing, drawn = 2000, 40, 200
    held = 0
    for _ in range(400):
        seen = sum(number < missing for number in drawing.sample(range(total), drawn))
        held += most_missing(seen, drawn, total, 0.95) >= missing
    assert held >= 360, "95 % of 400, less four standard deviations"
