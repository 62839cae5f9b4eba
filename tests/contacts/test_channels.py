"""Several columns for one channel: the first usable is taken, the others are carried, and none is lost silently."""

from __future__ import annotations

import polars as pl

from dialfeed.contacts.findings import ROW
from dialfeed.contacts.rules import Checked, RuleSet, check

MOBILE, HOME, WORK = "+12125550100", "+12125550101", "+12125550102"
RULES = RuleSet({"phone": "0", "doNotCall": "3", "doNotEmail": "4"}, others={"phone": {"Home": "1", "Work": "2"}})


def checked(*rows: tuple[str | None, str | None, str | None]) -> Checked:
    columns = list(zip(*rows, strict=True))
    cells = {str(number): list(column) for number, column in enumerate(columns)}
    flags = {"3": ["no"] * len(rows), "4": ["no"] * len(rows)}
    schema = dict.fromkeys("01234", pl.String)
    return check(pl.DataFrame({**cells, **flags}, schema=schema).with_row_index(ROW, 2).cast({ROW: pl.Int64}), RULES)


def test_the_first_usable_is_the_contacts_and_the_others_are_carried_once() -> None:
    made = checked((MOBILE, HOME, WORK), (None, HOME, HOME), ("12", HOME, None), (MOBILE, MOBILE, "(212) 555-0102"))
    assert made.contacts.select("phone", "Home", "Work").rows() == [
        (MOBILE, HOME, WORK), (HOME, None, None), (HOME, None, None), (MOBILE, None, None),
    ]  # fmt: skip
    assert made.faults.rows() == []


def test_an_unusable_one_beside_a_usable_one_is_told() -> None:
    made = checked(("12", HOME, None), (MOBILE, None, "x"))
    assert made.warnings.rows() == [(2, "phone", "phone.other_unusable"), (3, "Work", "phone.other_unusable")]
    assert made.contacts["phone"].to_list() == [HOME, MOBILE]


def test_where_none_is_usable_the_row_is_rejected_with_the_faults_of_all() -> None:
    made = checked(("n/v", None, "+99912345678"), (None, None, None))
    assert made.contacts.is_empty()
    assert made.faults.rows() == [
        (2, "phone", "phone.not_a_number"), (2, "Work", "phone.unknown_country_code"), (3, "", "contact.no_channel"),
    ]  # fmt: skip
