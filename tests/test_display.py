"""Progress says how many rows, and nothing that a person would have to guess."""

from __future__ import annotations

import io
from typing import Any

import pytest

from dialfeed.display import fitting, open_display


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("total", [7970, 355_000, 1_000_000, 100_000_000])
@pytest.mark.parametrize(("step", "words"), [("deliver", "Delivering"), ("settle", "Settling lost answers")])
@pytest.mark.parametrize("width", [40, 48, 60, 80, 120])
def test_a_narrow_terminal_still_shows_the_step_how_far_it_is_and_the_time_left(
    width: int, step: str, words: str, total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    written = Terminal()
    display = open_display(written)
    display(step, total // 3, total, "", 754.0)
    display.close()
    told = written.getvalue()
    count = "33 %" if "33 %" in told else f"{total // 3:,} of {total:,} rows"
    line = next(f"{count}, {left}" for left in ("about 12 min left", "12 min left") if f"{count}, {left}" in told)
    assert words in told
    assert "…" not in told
    assert ("━" in told) == (len(f"{words}  {line}") + 10 <= width), "a bar where there is room for one"


def test_what_has_no_room_becomes_shorter_or_goes_and_what_matters_stays() -> None:
    assert fitting(80, 10, 40, note="paused", left=9.0) == "10 of 40 rows, about 9 s left, paused"
    assert fitting(36, 10, 40, note="paused", left=9.0) == "25 %, about 9 s left, paused"
    assert fitting(36, 10, 40, note="the platform asks for 9 s", left=9.0) == "10 of 40 rows, about 9 s left"
    assert fitting(20, 10, 40, note="paused", left=9.0) == "25 %, about 9 s left"
    assert fitting(14, 10, 40, note="paused", left=9.0) == "25 %, 9 s left"
    assert fitting(5, 10, 40, note="paused", left=9.0) == "25 %"
    assert fitting(20, 60_000, None, note="", left=None) == "60,000 rows"
    assert fitting(80, 0, 40, note="paused", left=None) == "paused"


@pytest.mark.parametrize("out", [io.StringIO, Terminal])
@pytest.mark.parametrize(
    ("step", "told"),
    [
        (("read", 60_000), "60,000 rows"),
        (("read", 1), "1 row"),
        (("deliver", 400, 7970), "400 of 7,970 rows"),
        (("sign in",), "Signing in"),
    ],
)
def test_what_is_done_is_told_as_rows(
    out: type[io.StringIO], step: tuple[Any, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    written = out()
    display = open_display(written)
    display(*step)
    display.close()
    assert told in written.getvalue()
    assert "/?" not in written.getvalue()
