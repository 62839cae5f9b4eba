"""What a run is to do, and where its contacts go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dialfeed.config import Plan
from dialfeed.platforms.base import ContactList
from dialfeed.running.assembly import Connection, ListCarrier, kept


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is to do.

    Attributes:
        source: What to read, as the user names it: files, patterns or addresses.
        plan: Every setting.
        contact_list: Id or name of the list; None to validate only.
        rehearse: Stop before the first batch.
        run_dir: The run's folder, where the user names one.
        retry_of: The folder of the run whose rows the source holds, mended; None for a source of its own.
    """

    source: tuple[str, ...]
    plan: Plan
    contact_list: str | None = None
    rehearse: bool = False
    run_dir: Path | None = None
    retry_of: Path | None = None

    @property
    def lasting_source(self) -> list[str]:
        """The source in a form that still leads there from another working folder, without a secret (`kept`)."""
        return [kept(each) if "://" in each else each if each == "-" else _absolute(each) for each in self.source]

    @property
    def sends(self) -> bool:
        """Whether anything is to leave."""
        return self.contact_list is not None and not self.rehearse


def _absolute(path: str) -> str:
    return str(Path(path).absolute())


@dataclass(frozen=True, slots=True)
class Target:
    """Where contacts go: a contact list, and the connection to its platform.

    Attributes:
        connection: To the platform.
        contact_list: Which list.
        alone: Whether no other run is loading it, as far as this machine knows.
    """

    connection: Connection
    contact_list: ContactList
    alone: bool = True

    @property
    def carrier(self) -> ListCarrier:
        """Carries batches there."""
        return ListCarrier(self.connection.platform, self.contact_list.id)
