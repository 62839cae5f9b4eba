"""Genesys Cloud's automatic time zone mapping, predicted: its own table of examples, and when a ZIP code is a trap."""

from __future__ import annotations

from datetime import date

import pytest

from dialfeed.donotcall.hours.clocks import as_text
from dialfeed.donotcall.hours.genesys import predict

WEDNESDAY = date(2026, 9, 16)
UNMAPPED, BLANK = "00000", None
CENTRAL_ZIP, MOUNTAIN_ZIP = "75201", "80202"
EASTERN, CENTRAL, NOT_NANP, TOLL_FREE = 12125550100, 12145550100, 442079460000, 18005550199

# In UTC; Eastern is four hours behind. The platform stops one minute early.
DEFAULT = ("2026-09-16T18:00Z", "2026-09-16T23:59Z")
CENTRAL_HOURS = ("2026-09-16T13:00Z", "2026-09-17T01:59Z")
CENTRAL_AND_EASTERN = ("2026-09-16T13:00Z", "2026-09-17T00:59Z")
ALL_THREE = ("2026-09-16T14:00Z", "2026-09-17T00:59Z")

Hours = tuple[str, str]


@pytest.mark.parametrize(
    ("zip_code", "phones", "hours"),
    [  # the rows of the platform's table, in its order
        (UNMAPPED, (NOT_NANP, NOT_NANP), DEFAULT),
        (UNMAPPED, (EASTERN, NOT_NANP), DEFAULT),
        (BLANK, (CENTRAL, EASTERN), CENTRAL_AND_EASTERN),
        (MOUNTAIN_ZIP, (CENTRAL, EASTERN), ALL_THREE),
        (BLANK, (NOT_NANP, CENTRAL), CENTRAL_HOURS),
        (CENTRAL_ZIP, (NOT_NANP, CENTRAL), CENTRAL_HOURS),
        (CENTRAL_ZIP, (CENTRAL, CENTRAL), CENTRAL_HOURS),
        (CENTRAL_ZIP, (NOT_NANP, NOT_NANP), DEFAULT),
        (BLANK, (CENTRAL, CENTRAL), CENTRAL_HOURS),
    ],
)
def test_the_platform_s_own_examples_are_predicted(zip_code: str | None, phones: tuple[int, int], hours: Hours) -> None:
    found = predict(zip_code, phones, WEDNESDAY)
    assert found.span is not None
    assert (as_text(found.span[0]), as_text(found.span[1])) == hours


@pytest.mark.parametrize(
    ("zip_code", "phones", "trap", "case"),
    [
        ("1234", (EASTERN,), True, "zip_not_mapped"),
        ("100O1", (EASTERN,), True, "zip_not_mapped"),
        ("M5V 3L9", (EASTERN,), True, "zip_not_mapped"),
        ("09012", (EASTERN,), True, "zip_not_mapped"),
        ("10001-1234", (EASTERN,), False, "mapped"),
        ("100011234", (EASTERN,), False, "mapped"),
        ("  ", (EASTERN,), False, "mapped"),
        (MOUNTAIN_ZIP, (EASTERN,), True, "mapped"),
        (CENTRAL_ZIP, (TOLL_FREE, None), False, "no_phone_mapped"),  # a blank ZIP code would not help
        (UNMAPPED, (TOLL_FREE,), False, "zip_not_mapped"),
        (BLANK, (EASTERN, CENTRAL), False, "mapped"),  # two phones, but no ZIP code
        ("96910", (EASTERN,), True, "mapped"),  # Guam and New York share no hour
    ],
)
def test_a_zip_code_is_a_trap_where_a_blank_one_would_give_more_hours(
    zip_code: str | None, phones: tuple[int | None, ...], case: str, *, trap: bool
) -> None:
    found = predict(zip_code, phones, WEDNESDAY)
    assert (found.trap, found.case) == (trap, case)
