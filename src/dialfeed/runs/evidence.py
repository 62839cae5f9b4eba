"""What the evidence of a run is worth: its trail, the end that its summary recorded, its signature, and its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.audit.check import Checked, check
from dialfeed.audit.signing import PUBLIC, SIGNATURE, Signed, make_keys, read_signature
from dialfeed.audit.sinks.cursor import acknowledged_hashes
from dialfeed.config import Plan
from dialfeed.errors import FixSettings
from dialfeed.ledger.folder import AUDIT, LEDGER, SUMMARY, is_held, is_run_id
from dialfeed.reports.summary import OPEN
from dialfeed.running.assembly import keys_folder, run_folder
from dialfeed.runs.sealed import changed_since_sealed
from dialfeed.wording import counted

DOES_NOT_HOLD: Final = 7
"""The exit code of a trail that was tampered with."""


@dataclass(slots=True)
class Verdict:
    """What came of looking at a trail.

    Attributes:
        file: The trail.
        checked: The chain itself.
        end: Where the recorded end of the trail was found; empty where it is recorded nowhere.
        taken_up: Whether the trail goes on after an end that was recorded, and the new one is not recorded yet.
        signature: The signature, if there is one that can be read.
        notes: What else is to be told; nothing of it is wrong.
    """

    file: Path
    checked: Checked
    end: str = ""
    taken_up: bool = False
    signature: Signed | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 for a trail that is whole."""
        return 0 if self.checked.whole else DOES_NOT_HOLD

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        checked, signature = self.checked, self.signature
        return {
            "file": str(self.file),
            "run": checked.run,
            "whole": checked.whole,
            "lines": checked.lines,
            "last_hash": checked.last_hash,
            "end_recorded_in": self.end,
            "taken_up": self.taken_up,
            "first_bad_line": checked.problems[0].line if checked.problems else None,
            "problems": [{"line": each.line, "sentence": each.sentence} for each in checked.problems],
            "problems_in_all": checked.wrong,
            "signed": None
            if signature is None
            else {"lines": signature.number, "key": signature.fingerprint, "key_is_the_expected": signature.expected},
            "notes": self.notes,
            "exit_code": self.exit_code,
        }

    def as_text(self) -> str:
        """For people."""
        return "\n".join(self._told())

    def _told(self) -> Iterator[str]:
        checked = self.checked
        lines = f"{checked.lines:,} line{'' if checked.lines == 1 else 's'}"
        yield f"{self.file}: {lines}, {'whole' if checked.whole else 'NOT AS IT WAS WRITTEN'}."
        for problem in checked.problems:
            yield f"  Line {problem.line:,} {problem.sentence}."
        if checked.wrong > len(checked.problems):
            yield f"  … and {checked.wrong - len(checked.problems):,} more; they may only follow from the first."
        yield from self.notes


def examine(run: str, plan: Plan, *, last_hash: str | None = None, public_key: Path | None = None) -> Verdict:
    """Look at the trail of a run, or at a file.

    Args:
        run: A run's id or its folder, or the trail's file.
        plan: Where runs are.
        last_hash: The hash that its last line must have, as a sink has kept it.
        public_key: The key that must have signed all of it.

    Raises:
        FixSettings: There is no such run or file, or it or a key cannot be read.
    """
    file = _trail_of(run, plan)
    try:
        return _examined(file, run, plan, last_hash, public_key)
    except OSError as error:
        raise FixSettings(f"{error.filename or file} cannot be read ({os.strerror(error.errno or 0)}).") from None


def _examined(file: Path, run: str, plan: Plan, last_hash: str | None, public_key: Path | None) -> Verdict:
    signature, unreadable = _signature(file.with_name(SIGNATURE), public_key, plan)
    recorded, end, taken_up = (last_hash, "what was given", False) if last_hash else _recorded(file)
    known = [signature.hash] if signature and signature.good else []
    if recorded and taken_up:
        known.append(recorded)
        recorded, end = None, ""
    with file.open("rb") as lines:
        checked = check(lines, last_hash=recorded, hashes=[*known, *acknowledged_hashes(file.parent)])
    verdict = Verdict(file, checked, end, taken_up, signature)
    if unreadable:
        checked.add(checked.lines + 1, f"cannot be trusted: {SIGNATURE} holds no signature that can be read")
    _judge_run(verdict, run)
    _judge_signature(verdict, required=public_key is not None)
    _judge_files(verdict)
    _remark(verdict, has_key=(keys_folder(plan) / PUBLIC).is_file())
    return verdict


def make_key_pair(plan: Plan) -> str:
    """Make the key pair that signs the trails of this home folder, and say where it is.

    Raises:
        FixSettings: There is one already, or it cannot be made.
    """
    path, told = make_keys(keys_folder(plan))
    return (
        f"Every run now signs its trail. Give {path} to whoever is to verify; its fingerprint is\n{told}\n"
        f"The private key lies beside it: whoever has it can sign for you."
    )


def _trail_of(run: str, plan: Plan) -> Path:
    if Path(run).is_file():
        return Path(run)
    folder = run_folder(plan, run)
    if not (folder / AUDIT).is_file():
        raise FixSettings(f"There is no {AUDIT} in {folder}.", advice="Give the run's folder, or the trail's file.")
    return folder / AUDIT


def _recorded(trail: Path) -> tuple[str | None, str, bool]:
    """The end that the summary beside a trail recorded, where that is, and whether the trail goes on after it."""
    told = _summary(trail)
    recorded = told.get("audit_hash")
    return (recorded, SUMMARY, told.get(OPEN) is True) if isinstance(recorded, str) else (None, "", False)


def _summary(trail: Path) -> dict[str, Any]:
    """The summary beside a trail; empty where there is none that can be read."""
    try:
        told = orjson.loads(trail.with_name(SUMMARY).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return told if isinstance(told, dict) else {}


def _judge_run(verdict: Verdict, asked: str) -> None:
    """Hold the run that the trail is of against the one that was asked for, and the one that the folder is of."""
    checked, file = verdict.checked, verdict.file
    folder = file.absolute().parent.name
    expected = {name for name in (asked, folder) if is_run_id(name)} | {_summary(file).get("run", checked.run)}
    if checked.run and expected != {checked.run}:
        checked.add(1, f"is of run {checked.run}, and not of the one whose trail this should be")


def _signature(path: Path, public_key: Path | None, plan: Plan) -> tuple[Signed | None, bool]:
    """The signature beside a trail, and whether there is a file that is none. The own key is the one expected."""
    if not path.is_file():
        return None, False
    own = keys_folder(plan) / PUBLIC
    signature = read_signature(path, public_key or (own if own.is_file() else None))
    return signature, signature is None


def _judge_signature(verdict: Verdict, *, required: bool) -> None:
    checked, signature = verdict.checked, verdict.signature
    end = checked.lines + 1
    if signature is None:
        if required:
            checked.add(end, "is missing: the trail is not signed")
        return
    if not signature.good or signature.run != checked.run:
        checked.add(end, "cannot be trusted: the signature is not one of this trail")
    elif required and not signature.expected:
        checked.add(end, "cannot be trusted: it is signed with another key than the one given")
    elif required and signature.hash != checked.last_hash:
        checked.add(signature.number + 1, "and those after it are not signed")


def _judge_files(verdict: Verdict) -> None:
    """Hold the run's evidence against the trail; not of a copy that lies elsewhere, nor while a process writes it."""
    file = verdict.file
    in_its_folder = file.name == AUDIT and any(file.with_name(name).is_file() for name in (SUMMARY, LEDGER))
    if in_its_folder and not is_held(file.parent):
        for problem in changed_since_sealed(file):
            verdict.checked.add(problem.line, problem.sentence)


def _remark(verdict: Verdict, *, has_key: bool) -> None:
    checked, signature = verdict.checked, verdict.signature
    if verdict.taken_up:
        verdict.notes.append(
            f"It goes on after the end that {SUMMARY} recorded, and its new end is not recorded yet: a process is "
            "working on the run, or died. Lines may be missing there; `dialfeed resume` or `verify` records it."
        )
    elif not verdict.end:
        verdict.notes.append(
            "Its end is recorded nowhere here (no summary.json beside it), so lines may be missing there: "
            "give the last hash that a sink has kept with --last-hash."
        )
    if signature is None and has_key:
        verdict.notes.append(
            "It is not signed, although there is a key here: it ended before there was one, or the signature was "
            "removed. With --public-key that counts as wrong."
        )
    if signature is not None and signature.good:
        whose = {True: "the key that is known here", False: "a key that is NOT the one known here", None: "a key"}
        after = checked.lines - signature.number
        rest = f"; {counted(after, 'line')} after that {'is' if after == 1 else 'are'} not signed" if after > 0 else ""
        told = f"Signed up to line {signature.number:,} with {whose[signature.expected]} ({signature.fingerprint})"
        verdict.notes.append(f"{told}{rest}.")
