"""What the pages say can be typed, followed and found: commands, options, links, files, exit codes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import dialfeed.errors
from dialfeed.cli import cli
from dialfeed.commands.shared import Group, SettingOption
from dialfeed.contacts.reasons import CATALOGUE
from dialfeed.ledger.folder import LEDGER, RETRIES, STAGE
from dialfeed.reports.retention import HOLD, ROW_FILES
from dialfeed.runs.purging import EVIDENCE
from dialfeed.settings import BY_NAME, GROUPS

ROOT = Path(__file__).parents[1]
USER_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [
    *USER_PAGES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]
SOURCES = sorted((ROOT / "src" / "dialfeed").rglob("*.py"))

TYPED = {"console", "sh", "ini", "cron", ""}
"""Languages of fenced blocks that hold command lines."""


@dataclass(frozen=True)
class Line:
    """A command line of a page; a `named` one stands in a sentence, where arguments may be left out."""

    where: str
    text: str
    named: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def fenced(text: str) -> Iterator[tuple[str, str]]:
    """The fenced blocks of a page: language and content."""
    for language, content in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield language, content.replace("\\\n", " ")


def inline(text: str) -> Iterator[str]:
    """The code that stands in the sentences of a page."""
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def typed_lines(page: Path) -> Iterator[Line]:
    text, name = page.read_text("utf-8"), page.name
    for language, content in fenced(text):
        if language in TYPED:
            for found in re.findall(r"(?:^|[\s/|(!])dialfeed ([a-z].*)$", content, re.MULTILINE):
                yield Line(name, found, named=False)
    for code in inline(text):
        if code.startswith("dialfeed "):
            yield Line(name, code.removeprefix("dialfeed "), named=True)
        elif re.match(r"(dnc|audit) [a-z]+ ", code):
            yield Line(name, code, named=True)


def told_lines() -> Iterator[Line]:
    """The commands that messages of the program name; what it fills in is an argument here."""
    for file in SOURCES:
        for found in re.findall(r"`dialfeed ([^`\n]+)`", file.read_text("utf-8")):
            yield Line(file.name, re.sub(r"\{[^}]*\}", "X", found), named=True)


def helped_lines(command: click.Command = cli, name: str = "dialfeed") -> Iterator[Line]:
    """The examples at the end of the commands' help."""
    for found in re.findall(r"^  dialfeed (.*)$", command.epilog or "", re.MULTILINE):
        yield Line(name, found, named=False)
    for each, inner in getattr(command, "commands", {}).items():
        yield from helped_lines(inner, f"{name} {each}")


def words_of(text: str) -> list[str]:
    """The words of a line up to its end, a pipe or a comment."""
    lexer = shlex.shlex(text.partition("  #")[0], posix=True, punctuation_chars="|;&>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|;&>"):
            break
        words.append(word)
    return words


def parse(line: Line) -> None:
    """Parse as the command line would, and run nothing."""
    command: click.Command = cli
    words, context = words_of(line.text), click.Context(cli, info_name="dialfeed")
    while isinstance(command, click.Group) and words and not (words[0].startswith("-") or words[0] == "COMMAND"):
        found = command.get_command(context, words[0])
        assert found is not None, f"{line}: there is no command {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    try:
        if words[-1:] not in (["--help"], ["--version"]) and not (isinstance(command, click.Group) and line.named):
            command.make_context(command.name, list(words))
    except click.UsageError as error:
        if not (line.named and isinstance(error, click.BadParameter | click.BadOptionUsage)):
            pytest.fail(f"{line}: {error.format_message()}")


def leaves(command: click.Command = cli, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by the words that call it."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for each, inner in command.commands.items():
        yield from leaves(inner, f"{name} {each}".strip())


def groups(command: click.Command = cli) -> Iterator[click.Group]:
    if isinstance(command, click.Group):
        yield command
        for inner in command.commands.values():
            yield from groups(inner)


OPTIONS = {option for _, command in leaves() for each in command.params for option in each.opts} | {
    "--help",
    "--version",
}


def test_every_command_line_of_the_pages_can_be_typed() -> None:
    lines = [line for page in PAGES for line in typed_lines(page)]
    assert len(lines) > 40
    for line in lines:
        parse(line)


def test_every_command_that_the_program_names_can_be_typed() -> None:
    lines = [*told_lines(), *helped_lines()]
    assert len(lines) > 60
    for line in lines:
        parse(line)


def test_a_wrong_command_option_or_number_of_arguments_of_a_page_is_found() -> None:
    for text in ("ipmort f.csv", "import f.csv --lst x", "dnc stats", "status A B", "import f.csv", "import --list x"):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            parse(Line("page", text, named=False))


def test_every_option_that_a_page_names_is_one() -> None:
    for page in USER_PAGES:
        if page.name != "benchmarks.md":
            for code in inline(page.read_text("utf-8")):
                named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)) if not code.startswith("pip ") else set()
                assert named <= OPTIONS, f"{page.name}: {named - OPTIONS}"


def test_every_command_and_option_is_documented() -> None:
    text = "\n".join(page.read_text("utf-8") for page in USER_PAGES)
    for name, command in leaves():
        assert re.search(rf"`dialfeed {name}[` ]|dialfeed {name}\b.*$", text, re.MULTILINE), f"dialfeed {name}"
        for option in (option for each in command.params for option in each.opts if option.startswith("--")):
            assert f"`{option}" in text, f"dialfeed {name} {option}"


def test_the_help_of_a_group_cuts_no_sentence_off() -> None:
    for group in groups():
        assert isinstance(group, Group), f"{group.name}: its commands stand in no order"
        told = group.get_help(click.Context(group, info_name="dialfeed", terminal_width=80)).partition("Commands:")[2]
        assert "..." not in told


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            path, _, anchor = target.partition("#")
            if ":" in path:
                assert path.startswith("https://"), f"{page.name}: {target}"
                continue
            found = (page.parent / path).resolve() if path else page
            assert found.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(found), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    listed = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)\s#]+)\)", index)}
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"}
    decisions = ROOT / "docs" / "decisions"
    assert {page for page in pages if page.parent != decisions} <= listed
    assert decisions in listed


def test_every_file_of_the_repository_that_a_page_names_is_there() -> None:
    bases = (ROOT, ROOT / "src" / "dialfeed", ROOT / "docs")
    for page in PAGES:
        text = page.read_text("utf-8")
        for name in re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|sh|toml|md|j2))`", text):
            assert any((base / name).exists() for base in bases), f"{page.name}: {name}"
        for module in re.findall(r"python -m ((?:bench|fuzz|dialfeed)[\w.]*)", text):
            path = module.replace(".", "/")
            made = [base / each for base in (ROOT, ROOT / "src") for each in (f"{path}.py", f"{path}/__main__.py")]
            assert any(file.exists() for file in made), f"{page.name}: {module}"
        for target in re.findall(r"`make ([a-z]+)", text):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE), target


def test_every_file_that_a_run_can_leave_is_told_in_the_readme() -> None:
    table = (ROOT / "README.md").read_text("utf-8").partition("| file in the run's folder |")[2].partition("\n\n")[0]
    told = {code.removesuffix("/").replace("RUN2", "*") for code in re.findall(r"`([^`]+)`", table)}
    written = {*ROW_FILES, *EVIDENCE, LEDGER, STAGE, RETRIES, HOLD} - {f"{LEDGER}-wal", f"{LEDGER}-shm"}
    left_by_a_killed_process = {name for name in written if name.startswith(".")}
    assert written - left_by_a_killed_process - told == set()


def test_every_exit_code_is_told_in_the_readme_and_in_the_help() -> None:
    readme = (ROOT / "README.md").read_text("utf-8").partition("| it says | exit code |")[2].partition("\n\n")[0]
    cells = [row.split("|")[2] for row in readme.splitlines() if row.startswith("| ")]
    told = {int(code) for cell in cells for code in re.findall(r"\d+", cell)}
    own = {
        each.exit_code
        for each in vars(dialfeed.errors).values()
        if isinstance(each, type) and hasattr(each, "exit_code")
    }
    assert own | {0, 4, 5, 7, 130, 143} == told
    helped = {int(code) for code in re.findall(r"\b(\d+) [a-z]|and (\d+)", cli.help or "") for code in code if code}
    assert told - {130} <= helped | {143}


def test_every_setting_has_a_place_on_the_page_of_settings() -> None:
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert [name for name in BY_NAME if f"\n| `{name}` |" not in text] == []


def test_every_reason_that_a_page_names_is_one() -> None:
    codes = {reason.code for reason in CATALOGUE}
    kinds = {code.partition(".")[0] for code in codes if code.startswith(("phone.", "email.", "flag.", "suppressed."))}
    for page in USER_PAGES:
        for code in inline(page.read_text("utf-8")):
            if re.fullmatch(r"[a-z]+\.[a-z_]+", code) and code.partition(".")[0] in kinds and not code.endswith(".csv"):
                assert code in codes, f"{page.name}: {code}"


def test_help_shows_each_setting_under_the_heading_that_the_page_has() -> None:
    for name, command in leaves():
        told = command.get_help(click.Context(command, info_name=name))
        sections = dict(re.findall(r"^(\w[^\n]*):\n((?:  [^\n]*\n|\n(?= ))+)", f"{told}\n", re.MULTILINE))
        for option in command.params:
            if isinstance(option, click.Option):
                heading = GROUPS[option.setting.group] if isinstance(option, SettingOption) else "Options"
                assert re.search(rf"^  (-h, )?{option.opts[-1]}\b", sections[heading], re.MULTILINE), (
                    f"{name} {option.opts}"
                )
            else:
                assert not re.search(
                    rf"^  {re.escape(option.make_metavar(click.Context(command)))}$", told, re.MULTILINE
                )
