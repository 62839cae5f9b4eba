"""The exceptions of a broken world, named by what to do next.

Bad *data* is never an exception: it is a value with a row, a field, a reason code and a remedy
(`dialfeed.contacts.reasons`). An exception says that the work cannot go on, in one sentence, and what
the user does about it.

    DialfeedError
    ├── FixSettings        exit 1   a flag, a profile or an environment variable is wrong
    ├── FixSource          exit 1   the file cannot be read as contacts at all
    ├── FixAccess          exit 2   the platform refuses the credentials, a scope or the list
    │   └── NameList       exit 2   it has no such contact list, or several
    ├── FixConnection      exit 2   the platform cannot be reached or trusted
    ├── ResumeRun          exit 3   the run stopped half-way; the ledger knows where
    ├── CheckFile          exit 6   a guard stopped the run before the first batch
    └── Interrupted        exit 130 or 143

Exit codes: `needs.md`, "Conventions users expect".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DialfeedError(Exception):
    """A failure that a user can do something about.

    Args:
        sentence: What is wrong, in one sentence, without any personal data or secret.
        advice: What to do next; often a command.
    """

    exit_code = 3

    def __init__(self, sentence: str, *, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()


class FixSettings(DialfeedError):
    """A flag, a profile or an environment variable is wrong or missing."""

    exit_code = 1


class FixSource(DialfeedError):
    """The source cannot be read as contacts: it is missing, empty, not text, or has no usable header."""

    exit_code = 1


class FixAccess(DialfeedError):
    """The platform answered, and refuses: wrong secret, missing scope, unknown or ambiguous list."""

    exit_code = 2


class NameList(FixAccess):
    """The platform has no contact list of this name, or several; another one has to be named, so no run goes on."""


class FixConnection(DialfeedError):
    """The platform cannot be reached, or its certificate cannot be trusted."""

    exit_code = 2


class ResumeRun(DialfeedError):
    """The run stopped half-way; nothing is lost, and it can go on from its ledger."""

    exit_code = 3


class CheckFile(DialfeedError):
    """A guard stopped the run before the first batch left.

    Args:
        sentence: As above.
        advice: As above.
        let_through: The settings under which the same file would go, by name; empty where none would do.
    """

    exit_code = 6

    def __init__(self, sentence: str, *, advice: str = "", let_through: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence, advice=advice)
        self.let_through = dict(let_through or {})


class Interrupted(DialfeedError):
    """The user or the system asked the run to stop; batches in flight were waited for.

    Args:
        signal_number: 2 (SIGINT) or 15 (SIGTERM); the exit code is 128 plus this number.
    """

    def __init__(self, sentence: str, *, advice: str = "", signal_number: int = 2) -> None:
        super().__init__(sentence, advice=advice)
        self.exit_code = 128 + signal_number
