"""Settings (`settings.SETTINGS`), resolved once into one frozen plan. The only reader of the environment.

A value comes from the flag, else the environment, else the profile in `dialfeed.toml`, else the table's default
(`needs.md`, "Conventions users expect"). `docs/settings.md` is generated from the table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dialfeed.errors import FixSettings
from dialfeed.reports.spans import Span
from dialfeed.settings import BY_NAME, SETTINGS, Limit, Setting

CONFIG_FILE = "dialfeed.toml"

_FORM = "Settings stand below a line [profile.default], or [profile.NAME]; text in quotes, lists in brackets."


@dataclass(frozen=True, slots=True)
class Plan:
    """Every setting of a run, resolved; the attributes are those of the table `SETTINGS`."""

    platform: str
    base_url: str | None
    client_id: str | None = field(repr=False)
    client_secret: str | None = field(repr=False)
    rate: float | None
    pace_margin: float
    limiter: str | None
    request_timeout: float
    connect_timeout: float
    ca_file: str | None
    proxy: str | None = field(repr=False)
    token_path: str
    credentials_in_body: bool
    wrapped_body: bool
    format: str | None
    delimiter: str | None
    quote: str | None
    encoding: str | None
    header_row: int | None
    sheet: str | None
    member: str | None
    query: str | None
    source_password: str | None = field(repr=False)
    default_country: str | None
    map: tuple[tuple[str, str], ...]
    set: tuple[tuple[str, str], ...]
    if_empty: tuple[tuple[str, str], ...]
    phone_order: tuple[str, ...]
    email_order: tuple[str, ...]
    accept_drift: bool
    flagged: str
    dnc: tuple[str, ...]
    uncovered: str
    because: str | None
    compliance: str
    topic: str | None
    revoke_all_from: str | None
    exempt: tuple[tuple[str, str], ...]
    consent_overrides: bool
    reject_kinds: tuple[str, ...]
    record: tuple[tuple[str, str], ...]
    calling_hours: str | None
    calling_day: str | None
    hours_rules: str | None
    unknown_place: str | None
    max_rejected: Limit
    list_capacity: int | None
    insist: tuple[str, ...]
    max_columns: int
    max_header: int
    max_cell: int
    batch_contacts: int
    batch_bytes: int
    in_flight: int
    retries: int
    deadline: float | None
    stop_within: float
    count_lag: float | None
    read_back: int | None
    settle_grace: float
    even_if_locked: bool
    home: str | None
    runs_dir: str
    people_files: str
    log_format: str
    log_file: str | None
    metrics_file: str | None
    metrics_port: int | None
    pushgateway: str | None
    otel_endpoint: str | None
    keep_rows: Span
    chunk_bytes: int
    sinks: tuple[str, ...]
    sink_secrets: Mapping[str, str] | None = field(repr=False)
    sink_grace: float
    sink_timeout: float
    sink_attempts: int

    @property
    def lag(self) -> float:
        """The longest lag of the list's count, in seconds.

        "Counts may lag behind writes by seconds to a minute" (`cxone-v2-dialect.md` section 2). A platform on this
        machine is a stand-in, and need not be waited for that long.
        """
        if self.count_lag is not None:
            return self.count_lag
        host = urlsplit(self.base_url or "").hostname
        return 5.0 if host in {"127.0.0.1", "localhost", "::1"} else 60.0

    @property
    def hours(self) -> str:
        """What to do about calling hours: `off`, `report` or `send`."""
        return self.calling_hours or ("report" if self.dnc else "off")

    def insists(self, guard: str) -> bool:
        """Whether the user insists against a guard."""
        return guard in self.insist or "all" in self.insist

    @property
    def orders(self) -> dict[str, tuple[str, ...]]:
        """Channels with the order of their columns."""
        given = {"phone": self.phone_order, "email": self.email_order}
        return {channel: columns for channel, columns in given.items() if columns}

    def _lists(self) -> dict[str, Any]:
        return {
            "set": dict(self.set),
            "if_empty": dict(self.if_empty),
            "dnc": list(self.dnc),
            "exempt": dict(self.exempt),
            "record": dict(self.record),
            "phone_order": list(self.phone_order),
            "email_order": list(self.email_order),
            "sinks": list(self.sinks),
        }

    def portable(self) -> dict[str, Any]:
        """What a run remembers to be resumed elsewhere: all settings but secrets and those of this machine."""
        left_out = {
            "accept_drift",
            "client_id",
            "client_secret",
            "source_password",
            "sink_secrets",
            "proxy",
            "home",
            "runs_dir",
            "ca_file",
            "even_if_locked",
            "log_format",
            "log_file",
            "metrics_file",
            "metrics_port",
            "pushgateway",
            "otel_endpoint",
        }
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in left_out}
        given["rate"] = "unlimited" if self.rate is None else self.rate
        given["read_back"] = "all" if self.read_back is None else self.read_back
        given["keep_rows"] = str(self.keep_rows)
        limit = self.max_rejected
        given["max_rejected"] = limit.number if limit.number is not None else f"{(limit.share or 0) * 100:g}%"
        return given | {"map": dict(self.map), **self._lists()}


_MAY_HOLD_A_PASSWORD: Final = {"proxy", "limiter", "pushgateway", "otel_endpoint"}


def flags_of(plan: Plan) -> list[str]:
    """The flags that make a plan: all that is not as it is by default, but for secrets and what may hold one."""
    portable = plan.portable()
    words: list[str] = []
    for setting in SETTINGS:
        value = getattr(plan, setting.name)
        if setting.secret or setting.name in _MAY_HOLD_A_PASSWORD or value == _by_default(setting):
            continue
        words += _flags(setting, portable.get(setting.name, value))
    return words


def _by_default(setting: Setting) -> Any:
    return setting.default if setting.default in {None, ()} else setting.read(setting.default)


def _flags(setting: Setting, value: Any) -> list[str]:
    """One setting as flags; `value` is what `Setting.read` takes."""
    if value is True:
        return [setting.flag]
    if isinstance(value, Mapping):
        value = [f"{name}={text}" for name, text in value.items()]
    several = value if isinstance(value, list | tuple) else [value]
    return [word for each in several for word in (setting.flag, str(each))]


def resolve(
    given: Mapping[str, Any],
    *,
    environ: Mapping[str, str],
    profile: str | None = None,
    config: Path | None = None,
    remembered: Mapping[str, Any] | None = None,
) -> Plan:
    """Settle every setting.

    Args:
        given: By name, from flags or from the Python API; None means not given.
        environ: The environment.
        profile: A profile of the configuration file; `default` unless told otherwise.
        config: The configuration file; `dialfeed.toml` in the working folder unless told otherwise.
        remembered: What an earlier run of this folder was given (`Plan.portable`), above the profile.

    Raises:
        FixSettings: A setting does not exist, or its value has no meaning.
    """
    unknown = [name for name in given if name not in BY_NAME]
    if unknown:
        raise FixSettings(f"There is no setting {unknown[0]!r}.", advice="`dialfeed import --help` lists them.")
    from_file = _profile(profile, config)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        places = (
            (setting.flag, given.get(setting.name)),
            (f"the environment variable {setting.env}", _in_environment(setting, environ)),
            ("the run's own settings", (remembered or {}).get(setting.name)),
            (f"{setting.name} in the profile", from_file.get(setting.name)),
            (setting.flag, setting.default),
        )
        values[setting.name] = _first(setting, places)
    return Plan(**values)


def _in_environment(setting: Setting, environ: Mapping[str, str]) -> Any:
    """What the environment says of a setting; all variables that begin alike where its variable ends in `*`."""
    if setting.env.endswith("*"):
        return {name: value for name, value in environ.items() if name.startswith(setting.env[:-1])}
    return environ.get(setting.env) or None if setting.env else None


def _first(setting: Setting, places: tuple[tuple[str, Any], ...]) -> Any:
    """The first value that was given, read."""
    for place, value in places:
        if value in (None, (), [], {}):
            continue
        try:
            return setting.read(value)
        except (ValueError, TypeError) as error:
            # what was given is not repeated here: it may be a secret put in the wrong place
            raise FixSettings(
                f"{place}: {_expected(error)}.", advice="docs/settings.md tells what each setting takes."
            ) from None
    return () if setting.default == () else None


def _expected(error: Exception) -> str:
    text = str(error)
    return text if text.endswith("expected") else "a number is expected"


def _profile(name: str | None, config: Path | None) -> Mapping[str, Any]:
    path = config or Path(CONFIG_FILE)
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if config is not None or name is not None:
            advice = "Correct --config." if config is not None else "Write one, or leave out --profile."
            raise FixSettings(f"There is no configuration file {path}.", advice=advice) from None
        return {}
    except OSError as error:
        raise FixSettings(f"{path} cannot be read ({error.strerror}).", advice="See who may read it.") from None
    except UnicodeDecodeError:
        raise FixSettings(f"{path} is not text in UTF-8.", advice="Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise FixSettings(f"{path} cannot be read: {error}.", advice=_FORM) from None
    profiles = _profiles(path, content)
    found = profiles.get(name or "default")
    if found is None and name is not None:
        known = ", ".join(sorted(profiles)) or "none"
        raise FixSettings(f"{path} has no profile {name!r} (it has: {known}).", advice="Correct --profile.")
    return _checked_profile(path, found or {})


def _profiles(path: Path, content: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The profiles of a file; whatever else stands in it would be passed over, and is refused."""
    stray = next((name for name in content if name != "profile"), None)
    if stray is not None:
        raise FixSettings(f"{path} holds {stray!r} outside of a profile, where nothing is read.", advice=_FORM)
    profiles = content.get("profile", {})
    if not isinstance(profiles, Mapping) or not all(isinstance(each, Mapping) for each in profiles.values()):
        raise FixSettings(f"A profile of {path} is no table.", advice=_FORM)
    return profiles


def _checked_profile(path: Path, profile: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in profile:
        if name not in BY_NAME:
            near = " or ".join(get_close_matches(name, BY_NAME))
            raise FixSettings(
                f"{path} has a setting {name!r} that does not exist.",
                advice=f"Perhaps {near}; docs/settings.md has them all." if near else "docs/settings.md has them all.",
            )
        if BY_NAME[name].secret:
            raise FixSettings(
                f"{path} holds {name}, and such a file gets committed and shared.",
                advice=f"Put it in the environment variable {BY_NAME[name].env}.",
            )
    return profile
