"""Who made a verdict, and with what: the account that a process runs under, and the versions of what it judges by."""

from __future__ import annotations

import getpass
import platform
from importlib import metadata

import polars as pl

from dialfeed._version import __version__
from dialfeed.contacts.phone import METADATA_VERSION


def versions() -> dict[str, str]:
    """What made the verdicts: this program, the numbering plan, the engine."""
    return {
        "dialfeed": __version__,
        "python": platform.python_version(),
        "phone_metadata": METADATA_VERSION,
        "polars": pl.__version__,
        "email_validator": metadata.version("email-validator"),
    }


def operator_name() -> str:
    """The account that this process runs under."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
