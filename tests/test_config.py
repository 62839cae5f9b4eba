"""Settings: where a value comes from, and what has no meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dialfeed.commands.loading import import_command
from dialfeed.config import Plan, flags_of, resolve
from dialfeed.errors import FixSettings
from dialfeed.settings import SETTINGS, Limit, Setting


def test_the_table_and_the_plan_have_the_same_settings() -> None:
    assert [setting.name for setting in SETTINGS] == [field.name for field in fields(Plan)]


def test_a_flag_wins_over_the_environment_over_the_run_over_the_profile_over_the_default(tmp_path: Path) -> None:
    config = tmp_path / "dialfeed.toml"
    config.write_text('[profile.default]\nbase_url = "https://profile.example"\nrate = 10\nretries = 3\n')
    env = {"CXONE_BASE_URL": "https://environment.example"}
    asked: dict[str, Any] = {"environ": env, "config": config}
    assert resolve({}, **asked).base_url == "https://environment.example"
    assert resolve({"base_url": "https://flag.example"}, **asked).base_url == "https://flag.example"
    assert resolve({}, environ={}, config=config).base_url == "https://profile.example"
    plan = resolve({}, **asked, remembered={"rate": 20})
    assert (plan.rate, plan.retries, plan.in_flight) == (20, 3, 8)


def test_what_a_run_remembers_makes_the_same_plan_and_holds_no_secret() -> None:
    given = {"rate": "unlimited", "max_rejected": "12.5%", "map": ("a=phone", "b="), "default_country": "de"}
    plan = resolve(given, environ={"CXONE_CLIENT_ID": "me", "CXONE_CLIENT_SECRET": "hush"})
    remembered = plan.portable()
    assert "hush" not in str(remembered)
    assert "hush" not in repr(plan)
    again = resolve({}, environ={}, remembered=remembered)
    assert again.portable() == remembered
    assert (again.rate, again.default_country, again.map) == (None, "DE", (("a", "phone"), ("b", "")))


GIVEN: list[dict[str, Any]] = [
    {},
    {"rate": "unlimited", "max_rejected": "12.5%", "read_back": "all", "keep_rows": "12w", "runs_dir": "my runs"},
    {"max_rejected": "7", "map": ("a=phone", "b=c=-"), "insist": ("size,room", "empty"), "accept_drift": True},
    {"set": ("doNotCall=false",), "if_empty": ("doNotEmail=false",), "phone_order": ("home,work",), "quote": ""},
    {"dnc": ("one,two",), "exempt": ("consent=a",), "record": ("campaign=it's spring",), "reject_kinds": ("pager",)},
]


@pytest.mark.parametrize("given", GIVEN)
def test_the_flags_of_a_plan_make_the_same_plan(given: dict[str, Any]) -> None:
    plan = resolve(given, environ={"CXONE_CLIENT_ID": "me", "CXONE_CLIENT_SECRET": "hush"})
    flags = flags_of(plan)
    assert "hush" not in flags
    assert bool(flags) == bool(given)
    read = import_command.make_context("import", ["a.csv", "--list", "L", *flags]).params
    again = resolve({each.name: read.get(each.name) for each in SETTINGS if not each.secret}, environ={})
    assert (again.portable(), again.runs_dir, again.accept_drift) == (plan.portable(), plan.runs_dir, plan.accept_drift)


@pytest.mark.parametrize(
    ("text", "part", "whole", "exceeded"),
    [
        ("20%", 20, 100, False), ("20%", 21, 100, True), ("0.2", 21, 100, True), ("5", 5, 10, False),
        ("5", 6, 1_000_000, True), ("0", 1, 10, True), ("0%", 1, 10, True), ("100%", 10, 10, False),
    ],
)  # fmt: skip
def test_a_limit_is_a_share_or_a_number(text: str, part: int, whole: int, exceeded: bool) -> None:
    limit: Limit = resolve({"max_rejected": text}, environ={}).max_rejected
    assert limit.exceeded(part, whole) == exceeded


@pytest.mark.parametrize(
    "given",
    [
        {"rate": "-1"}, {"rate": "nan"}, {"retries": "2.5"}, {"in_flight": "0"}, {"max_rejected": "101%"},
        {"default_country": "USA"}, {"map": "phone"}, {"flagged": "maybe"}, {"no_such_setting": 1},
    ],
)  # fmt: skip
def test_a_value_without_meaning_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(FixSettings):
        resolve(given, environ={})


ODD: list[Any] = [3, -1, 1.5, True, "x", "\0", [1], [[1]], [True], {"a": [1]}, [{"a": 1}], date(2026, 1, 1), "1e400"]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_value_of_any_kind_is_read_or_refused_in_words(setting: Setting) -> None:
    for value in ODD:
        try:
            resolve({setting.name: value}, environ={})
        except FixSettings as refused:
            assert refused.sentence.endswith(".")  # noqa: PT017 - some values are right


@pytest.mark.parametrize("given", [{"retries": True}, {"dnc": 3}, {"map": [["a=phone"]]}, {"insist": {"all": 1}}])
def test_a_value_of_another_kind_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(FixSettings, match="text, or a list" if "retries" not in given else "a number"):
        resolve(given, environ={})


FILES = {
    "no profile": ('dnc = ["us-national"]\n', "outside of a profile"),
    "mistyped table": ("[profiles.default]\nrate = 5\n", "'profiles' outside of a profile"),
    "profile is no table": ("profile = 3\n", "no table"),
    "one profile is no table": ("profile = {default = 3}\n", "no table"),
    "mistyped setting": ("[profile.default]\nraet = 5\n", "Perhaps rate"),
    "no TOML": ("[profile.default\n", "cannot be read"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_a_configuration_file_says_is_read_or_refused_and_never_passed_over(tmp_path: Path, name: str) -> None:
    content, told = FILES[name]
    config = tmp_path / "dialfeed.toml"
    config.write_text(content)
    with pytest.raises(FixSettings) as refused:
        resolve({}, environ={}, config=config)
    assert told in str(refused.value)
    assert refused.value.advice


@pytest.mark.parametrize("make", [None, Path.mkdir, lambda path: path.write_bytes(b"\xff\xfe")])
def test_a_configuration_file_that_cannot_be_read_is_told(tmp_path: Path, make: Callable[[Path], Any] | None) -> None:
    config = tmp_path / "dialfeed.toml"
    if make is not None:
        make(config)
    with pytest.raises(FixSettings, match=r"dialfeed\.toml"):
        resolve({}, environ={}, config=config)


def test_the_lag_of_a_count_is_a_minute_unless_the_platform_is_on_this_machine() -> None:
    assert resolve({"base_url": "https://dialer.example"}, environ={}).lag == 60
    assert resolve({"base_url": "http://127.0.0.1:8765"}, environ={}).lag == 5
    assert resolve({"base_url": "http://127.0.0.1:8765", "count_lag": 30}, environ={}).lag == 30
