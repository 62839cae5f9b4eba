"""The Python API: the commands as functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from dialfeed.config import Plan, resolve
from dialfeed.pipeline import import_file, validate_file
from dialfeed.running.assembly import run_folder
from dialfeed.running.drawing import draw_report
from dialfeed.running.order import Order
from dialfeed.running.retries import returned_file
from dialfeed.running.run import Progress, Result, silent
from dialfeed.running.stopping import Stopper
from dialfeed.runs.comparing import Compared
from dialfeed.runs.comparing import compare as compare_runs
from dialfeed.runs.evidence import Verdict, examine
from dialfeed.runs.following import Follower, Status
from dialfeed.runs.following import status as status_of
from dialfeed.runs.going_on import resume_run, retry_rows
from dialfeed.runs.listing import all_runs
from dialfeed.runs.recheck import Rechecked, verify_again
from dialfeed.runs.seen import Seen
from dialfeed.settings import SETTINGS

Made = TypeVar("Made")


def import_contacts(
    source: str | Path | Sequence[str | Path],
    *,
    list: str,  # noqa: A002 - the word of the product and of the flag
    dry_run: bool = False,
    run_dir: str | Path | None = None,
    profile: str | None = None,
    config: str | Path | None = None,
    stopper: Stopper | None = None,
    progress: Progress = silent,
    **settings: Any,
) -> Result:
    """Import a file into a contact list.

    Args:
        source: A file, a pattern, several of them with the same columns, `-` for the standard input, an address
            (`https://`, `s3://` …) or a database (`postgresql://` … with the setting `query`).
        list: The list's id, or its name where it is unique.
        dry_run: Stop before the first batch.
        run_dir: The run's folder; one under `runs` unless given.
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        stopper: Lets another thread stop the run.
        progress: Hears how far the run is.
        settings: Any setting of `docs/settings.md` by its name, for example `base_url`, `rate`, `client_secret`.

    Returns:
        How the run ended; also when it failed.

    Raises:
        DialfeedError: The run could not begin: a setting is wrong, or its folder cannot be made.
    """
    plan = _Given(settings, profile, config).plan()
    order = Order(_named(source), plan, list, dry_run, _path(run_dir))
    return in_own_thread(stopper, lambda switch: import_file(order, stopper=switch, progress=progress))


def validate_contacts(
    source: str | Path | Sequence[str | Path],
    *,
    run_dir: str | Path | None = None,
    profile: str | None = None,
    config: str | Path | None = None,
    stopper: Stopper | None = None,
    progress: Progress = silent,
    **settings: Any,
) -> Result:
    """Check a file without a platform, and write `ready.csv` and the other row files; arguments as above."""
    plan = _Given(settings, profile, config).plan()
    order = Order(_named(source), plan, run_dir=_path(run_dir))
    return in_own_thread(stopper, lambda switch: validate_file(order, stopper=switch, progress=progress))


def resume(run: str | Path | None = None, **options: Any) -> Result:
    """Go on with a run that did not come to its end.

    Args:
        run: Its id or its folder; the newest run unless given.
        options: `profile`, `config`, `stopper`, `progress` and settings, as in `import_contacts`. Settings that are
            not given are those of the run.

    Raises:
        DialfeedError: There is no such run, or a setting is wrong.
    """
    return _go_on("resume", run, **options)


def settle(run: str | Path | None = None, **options: Any) -> Result:
    """Find out about a run's lost answers and send nothing; arguments as for `resume`."""
    return _go_on("settle", run, **options)


def retry(
    run: str | Path,
    file: str | Path,
    *,
    profile: str | None = None,
    config: str | Path | None = None,
    stopper: Stopper | None = None,
    progress: Progress = silent,
    **settings: Any,
) -> Result:
    """Load rows of a run that were rejected or refused and have been mended, and close them in its report.

    Args:
        run: The run's id or its folder.
        file: Its `rejected.csv` or `refused.csv`, mended; a bare name that is not here is looked for in its folder.
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        stopper: Lets another thread stop the run.
        progress: Hears how far the run is.
        settings: Settings that differ from those of the run, and how the mended file is read.

    Returns:
        How the retry ended; it is a run of its own.

    Raises:
        DialfeedError: There is no such run, none of its rows can be retried, or a setting is wrong.
    """
    given = _Given(settings, profile, config)
    folder = run_folder(given.plan(), run)
    mended = returned_file(folder, Path(file))
    return in_own_thread(
        stopper, lambda switch: retry_rows(folder, mended, given.plan_of_return, stopper=switch, progress=progress)
    )


def verify(
    run: str | Path,
    *,
    profile: str | None = None,
    config: str | Path | None = None,
    stopper: Stopper | None = None,
    **settings: Any,
) -> Rechecked:
    """Compare the list of a run that has ended with what the run delivered, as it is now.

    Args:
        run: Its id or its folder.
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        stopper: Lets another thread stop it.
        settings: Settings that differ from those of the run.

    Raises:
        DialfeedError: There is no such run, it sent nothing, or the platform cannot be asked.
    """
    given = _Given(settings, profile, config)
    folder = run_folder(given.plan(), run)
    return in_own_thread(stopper, lambda switch: verify_again(folder, given.plan, switch))


def list_runs(*, profile: str | None = None, config: str | Path | None = None, **settings: Any) -> list[Seen]:
    """All runs of this machine, newest first, as `dialfeed runs` lists them.

    Args:
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        settings: `runs_dir` and `home`, where they are not the usual ones.
    """
    return all_runs(_Given(settings, profile, config).plan())


def status(run: str | Path, *, profile: str | None = None, config: str | Path | None = None, **settings: Any) -> Status:
    """How far a run is, or how it ended, without disturbing it.

    Args:
        run: Its id or its folder.
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        settings: `runs_dir` and `home`, where they are not the usual ones.

    Raises:
        DialfeedError: There is no such run.
    """
    folder = run_folder(_Given(settings, profile, config).plan(), run)
    return status_of(Follower(folder))


def report(
    run: str | Path,
    output: str | Path | None = None,
    *,
    profile: str | None = None,
    config: str | Path | None = None,
    **settings: Any,
) -> Path:
    """Draw the report of a run again, from its folder alone.

    Args:
        run: Its id or its folder.
        output: The file to write; `report.html` in the run's folder unless given.
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        settings: `runs_dir` and `home`, where they are not the usual ones.

    Returns:
        The file.

    Raises:
        DialfeedError: There is no such run, or it has not come to its end.
    """
    folder = run_folder(_Given(settings, profile, config).plan(), run)
    return draw_report(folder, _path(output))


def compare(
    run: str | Path,
    other: str | Path,
    output: str | Path | None = None,
    *,
    profile: str | None = None,
    config: str | Path | None = None,
    **settings: Any,
) -> Compared:
    """Show two runs side by side.

    Args:
        run: An id or a folder.
        other: Another one.
        output: The page to write; `compare-OTHER.html` in the first run's folder unless given.
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        settings: `runs_dir` and `home`, where they are not the usual ones.

    Raises:
        DialfeedError: There is no such run, or it has not come to its end.
    """
    plan = _Given(settings, profile, config).plan()
    return compare_runs(run_folder(plan, run), run_folder(plan, other), _path(output))


def verify_trail(
    run: str | Path,
    *,
    last_hash: str | None = None,
    public_key: str | Path | None = None,
    profile: str | None = None,
    config: str | Path | None = None,
    **settings: Any,
) -> Verdict:
    """Find out whether an audit trail is as it was written.

    Args:
        run: A run's id or its folder, or an `audit.jsonl`.
        last_hash: The hash that its last line must have, as a sink has kept it.
        public_key: The `audit.pub` of the key that must have signed all of it.
        profile: A profile of `dialfeed.toml`.
        config: That file, if it is elsewhere.
        settings: `runs_dir` and `home`, where they are not the usual ones.

    Raises:
        DialfeedError: There is no such run or file, or a key cannot be read.
    """
    plan = _Given(settings, profile, config).plan()
    return examine(str(run), plan, last_hash=last_hash, public_key=_path(public_key))


@dataclass(frozen=True, slots=True)
class _Given:
    """What a caller gives: settings, and where the profile with others is."""

    settings: Mapping[str, Any]
    profile: str | None
    config: str | Path | None

    def plan(self, remembered: Mapping[str, Any] | None = None) -> Plan:
        """The plan that these settings make, with what a run remembers of its own."""
        config = _path(self.config)
        return resolve(self.settings, environ=os.environ, profile=self.profile, config=config, remembered=remembered)

    def plan_of_return(self, remembered: Mapping[str, Any]) -> Plan:
        """The same for mended rows: what is known of the user's own files does not tell how their file is read."""
        reading = [each.name for each in SETTINGS if each.group == "reading"]
        unsaid: dict[str, Any] = {name: None for name in reading if self.settings.get(name) is None}
        return replace(self.plan(remembered), **unsaid)


def _go_on(
    command: str,
    run: str | Path | None,
    *,
    profile: str | None = None,
    config: str | Path | None = None,
    stopper: Stopper | None = None,
    progress: Progress = silent,
    **settings: Any,
) -> Result:
    given = _Given(settings, profile, config)
    folder = run_folder(given.plan(), run)
    return in_own_thread(
        stopper, lambda switch: resume_run(folder, given.plan, command=command, stopper=switch, progress=progress)
    )


def _named(source: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    return (str(source),) if isinstance(source, str | Path) else tuple(map(str, source))


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def in_own_thread(stopper: Stopper | None, work: Callable[[Stopper], Made]) -> Made:
    """The result of `work`, run in a thread beside the caller's event loop if there is one (a notebook has one).

    Signals stay with the caller's thread. A Ctrl-C that nobody else handles asks the run to stop, and its result
    tells of that.
    """
    switch = stopper or Stopper()
    with ThreadPoolExecutor(1, thread_name_prefix="run") as pool:
        running = pool.submit(work, switch)
        try:
            return running.result()
        except KeyboardInterrupt:
            switch.stop()
            return running.result()
