"""The generated pages of the documentation: reasons and settings, from the tables in the code.

`python -m dialfeed.pages docs` writes them; a test fails when a page and its table differ.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from dialfeed.config import SETTINGS, Setting
from dialfeed.contacts.reasons import CATALOGUE, Reason

_MADE = "<!-- Made by `make docs` from the code; changes belong there. -->"


def reasons_page() -> str:
    """`docs/reasons.md`."""
    return "\n".join(_reasons()) + "\n"


def settings_page() -> str:
    """`docs/settings.md`."""
    return "\n".join(_settings()) + "\n"


PAGES: dict[str, Callable[[], str]] = {"reasons.md": reasons_page, "settings.md": settings_page}


def _reasons() -> Iterator[str]:
    yield from ("# Reasons", "", _MADE, "")
    yield "Why a row was not delivered, or what was remarked on. Codes are stable; `bucket` is where such a row ends."
    for reason in sorted(CATALOGUE, key=lambda reason: reason.code):
        yield from _reason(reason)


def _reason(reason: Reason) -> Iterator[str]:
    kind = "warning, the row goes on" if reason.severity == "warning" else f"bucket: {reason.bucket}"
    yield from ("", f"## `{reason.code}`", "", f"**{reason.title}** ({kind}). {reason.sentence} {reason.remedy}")


def _settings() -> Iterator[str]:
    yield from ("# Settings", "", _MADE, "")
    yield "A flag wins over the environment, the environment over the profile in `dialfeed.toml`, the profile over the"
    yield "default. In a profile and in the Python API a setting has the name in the first column."
    yield from ("", "| setting | flag | environment | default | meaning |", "| --- | --- | --- | --- | --- |")
    for setting in SETTINGS:
        yield _setting(setting)


def _setting(setting: Setting) -> str:
    flag = "" if setting.secret else f"`{setting.flag}`"
    env = f"`{setting.env}`" if setting.env else ""
    default = "" if setting.default in {None, ()} else f"`{setting.default}`"
    return f"| `{setting.name}` | {flag} | {env} | {default} | {setting.help} |"


def main(folder: Path) -> None:
    """Write all pages into a folder."""
    for name, make in PAGES.items():
        (folder / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
