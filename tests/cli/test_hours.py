"""`dialfeed hours` explains when one number may be called."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from dialfeed.cli import cli


def dialfeed(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["hours", *arguments], input=typed)


def test_it_tells_hours_zones_rules_and_doubts() -> None:
    done = dialfeed("+1 270 555 0100", "--date", "2026-09-16")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Wednesday 16 September 2026: 2026-09-16T15:00Z to 2026-09-17T01:00Z." in done.stdout
    assert "America/Chicago or America/New_York" in done.stdout
    assert "US-KY: 10:00-21:00 by America/Chicago, America/New_York [M: dropcowboy.com state" in done.stdout
    assert "hours.zone_multiple" in done.stdout
    assert "2705550100" not in done.stdout


def test_as_json_it_is_for_programs() -> None:
    done = dialfeed("(205) 555-0100", "--country", "us", "--zip", "10001", "--date", "2026-09-20", "--json")
    told = json.loads(done.stdout)
    assert (told["callable"], told["jurisdictions"]) == ([], ["US-AL", "US-NY"])
    assert "hours.closed_day" in [doubt["code"] for doubt in told["doubts"]]


def test_an_address_alone_has_hours_too() -> None:
    done = dialfeed("--state", "HI", "--date", "2026-09-16")
    assert "Time zone: Pacific/Honolulu" in done.stdout


def test_what_tells_nothing_and_rules_past_their_review_are_told() -> None:
    done = dialfeed("+12125550100", "--zone", "Mars/Olympus", "--date", "2030-01-02")
    assert "time zone: tells no place" in done.stdout
    assert "should have been looked at again by 2027-01-31" in done.stdout


def test_rules_of_counsel_count(tmp_path: Path) -> None:
    rules = tmp_path / "counsel.toml"
    rules.write_text('[pack]\nversion = "1"\n[policy]\nunknown = "block"\n', "utf-8")
    done = dialfeed("+18005550199", "--date", "2026-09-16", "--hours-rules", str(rules))
    assert "Wednesday 16 September 2026: not at all." in done.stdout


def test_the_policy_for_unknown_places_is_the_profile_s(tmp_path: Path) -> None:
    profile = tmp_path / "dialfeed.toml"
    profile.write_text('[profile.default]\nunknown_place = "block"\ndefault_country = "US"\n', "utf-8")
    done = dialfeed("800-555-0199", "--date", "2026-09-16", "--config", str(profile))
    assert "Wednesday 16 September 2026: not at all." in done.stdout


def test_a_number_may_come_on_the_standard_input_so_that_no_list_of_processes_shows_it() -> None:
    done = dialfeed("-", "--date", "2026-09-16", typed="+12125550100\n")
    assert "US-NY" in done.stdout


def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    for arguments in (
        ["555"],
        ["+49"],
        ["someone@example.com"],
        ["+12125550100", "--hours-rules", str(tmp_path / "none.toml")],
    ):
        done = dialfeed(*arguments)
        assert done.exit_code == 1
        assert done.stderr.startswith("dialfeed: ")
        assert "Traceback" not in done.stderr
