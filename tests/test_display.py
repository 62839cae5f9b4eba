"""Progress says how many rows, and nothing that a person would have to guess."""

from __future__ import annotations

import io
from typing import Any

import pytest

from dialfeed.display import open_display


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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
