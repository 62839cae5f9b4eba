"""From a plan to the things it names: the platform with its pace and clock, the source, the folder runs share."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import cast
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import platformdirs

from dialfeed.config import Plan
from dialfeed.coordination.budget import Budget, open_budget, organisation_key
from dialfeed.delivery.answers import Answer
from dialfeed.delivery.policy import Policy
from dialfeed.delivery.ports import Contacts, Leaving, Observer, unheard
from dialfeed.delivery.retry import RetryPolicy
from dialfeed.delivery.settle import Patience
from dialfeed.errors import FixSettings, NameList
from dialfeed.ledger.folder import find, latest
from dialfeed.platforms.base import ContactList, Limits, Platform
from dialfeed.platforms.cxone.client import CxonePlatform, Dialect
from dialfeed.platforms.cxone.tokens import Credentials
from dialfeed.platforms.http import Http, Timeouts, check_url
from dialfeed.sources.base import Source
from dialfeed.sources.open import open_source as open_any
from dialfeed.sources.options import Format, SourceOptions
from dialfeed.sources.remote import is_remote
from dialfeed.telemetry.observing import Wanted


class RealClock:
    """Time as it passes."""

    def now(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Connection:
    """A platform that is signed in to when first used, and the pace of requests to it."""

    platform: Platform
    pace: Budget
    clock: RealClock


@dataclass(frozen=True, slots=True)
class ListCarrier:
    """Carries batches to one contact list (`dialfeed.delivery.ports.Carrier`)."""

    platform: Platform
    list_id: str

    async def send(self, contacts: Contacts, leaving: Leaving) -> Answer:
        """Send one batch once."""
        return await self.platform.send(self.list_id, contacts, leaving)

    async def count(self) -> int | None:
        """The list's count; None where it is not told."""
        return (await self.platform.contact_list(self.list_id)).count


def home_folder(plan: Plan) -> Path:
    """The folder of what runs share."""
    return Path(plan.home) if plan.home else platformdirs.user_data_path("dialfeed")


def run_folder(plan: Plan, run: str | Path | None = None) -> Path:
    """The folder of a run, by its id or its folder; of the newest run where none is named.

    Raises:
        FixSettings: There is no such run.
    """
    runs_dir, home = Path(plan.runs_dir), home_folder(plan)
    return latest(runs_dir=runs_dir, home=home) if run is None else find(str(run), runs_dir=runs_dir, home=home)


def keys_folder(plan: Plan) -> Path:
    """The folder of the key pair that signs audit trails."""
    return home_folder(plan) / "keys"


def telemetry_wanted(plan: Plan) -> Wanted:
    """What is to be told of a run to whoever watches machines."""
    return Wanted(
        metrics_file=_path(plan.metrics_file),
        metrics_port=plan.metrics_port,
        pushgateway=plan.pushgateway,
        otel_endpoint=plan.otel_endpoint,
        log_file=_path(plan.log_file),
        log_to_stderr=plan.log_format == "json",
        secrets=(plan.client_id, plan.client_secret, plan.source_password, *_passwords(plan.proxy, plan.limiter)),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _passwords(*addresses: str | None) -> list[str | None]:
    """The passwords that stand in addresses."""
    return [urlsplit(address).password for address in addresses if address]


def can_connect(plan: Plan) -> bool:
    """Whether the plan says where the platform is and who signs in."""
    return bool(plan.base_url and plan.client_id and plan.client_secret)


@asynccontextmanager
async def connect(plan: Plan, observe: Observer = unheard) -> AsyncIterator[Connection]:
    """The platform of a plan.

    Args:
        plan: Where it is, and who signs in.
        observe: Hears of tokens and requests.

    Raises:
        FixSettings: The address or the credentials are missing or cannot be used.
    """
    if not plan.base_url:
        raise FixSettings("It is not known where the platform is.", advice="Set --base-url or CXONE_BASE_URL.")
    check_url(plan.base_url)
    if not plan.client_id or not plan.client_secret:
        raise FixSettings(
            "The credentials are missing.", advice="Set CXONE_CLIENT_ID and CXONE_CLIENT_SECRET in the environment."
        )
    clock = RealClock()
    organisation = organisation_key(plan.base_url, plan.client_id)
    budget = open_budget(plan.limiter, home_folder(plan), organisation, plan.rate, margin=plan.pace_margin)
    http = Http(
        plan.base_url,
        pace=budget,
        clock=clock,
        chance=random.SystemRandom().random,
        timeouts=Timeouts(plan.connect_timeout, plan.request_timeout),
        ca_file=plan.ca_file,
        proxy=plan.proxy,
        observe=observe,
    )
    dialect = Dialect(plan.token_path, plan.credentials_in_body, plan.wrapped_body, limits(plan))
    platform = CxonePlatform(http, Credentials(plan.client_id, plan.client_secret), dialect)
    try:
        yield Connection(platform, budget, clock)
    finally:
        await platform.close()
        await budget.close()


def limits(plan: Plan) -> Limits:
    """What the platform takes, by the plan."""
    return Limits(plan.batch_contacts, plan.batch_bytes, plan.max_columns, plan.max_header, plan.max_cell)


def policy(plan: Plan) -> Policy:
    """How delivery behaves, by the plan."""
    return Policy(
        in_flight=plan.in_flight,
        stop_within=plan.stop_within,
        deadline=plan.deadline,
        retry=RetryPolicy(max_retries=plan.retries),
        patience=Patience(grace=plan.settle_grace, lag=plan.lag),
    )


def open_source(where: Sequence[str], plan: Plan) -> Source:
    """The source that a user names, opened by what the plan says of it.

    Args:
        where: Files, patterns or addresses.
        plan: What is known of it; the rest is detected.

    Raises:
        FixSource: It cannot be reached or read, or it is not certain how.
        FixSettings: An option makes no sense, or a library is missing.
    """
    told = SourceOptions(
        block_bytes=plan.chunk_bytes,
        format=cast("Format | None", plan.format),
        delimiter=plan.delimiter,
        quote=plan.quote,
        encoding=plan.encoding,
        header_row=plan.header_row,
        sheet=plan.sheet,
        member=plan.member,
        query=plan.query,
        password=plan.source_password,
    )
    return open_any(where[0] if len(where) == 1 else list(where), told)


def shown(where: Sequence[str]) -> str:
    """A source's name as it may be told: an address without its password and its parameters, which may hold one."""
    return ", ".join(_text(_bare(each)._replace(query="", fragment="")) if "://" in each else each for each in where)


def kept(where: str) -> str:
    """An address in the form that a run keeps: what may be a secret in it is left out.

    Of a database's parameters those called after a password; of an address of the web all, which are often a signature
    or a token: then `?` is left at its end, and it cannot be read again. The file of a database is named from the root,
    so that it is found from another working folder.
    """
    parts = _bare(where)
    if parts.query and is_remote(where):
        return _text(parts._replace(query="", fragment="")) + "?"
    if not parts.netloc and not parts.path.startswith("/:"):  # `duckdb:///:memory:` is no file
        parts = parts._replace(path=f"/{Path(parts.path.removeprefix('/')).absolute()}")
    harmless = [(name, value) for name, value in parse_qsl(parts.query) if "pass" not in name.lower()]
    return _text(parts._replace(query=urlencode(harmless)))


def _text(parts: SplitResult) -> str:
    """An address in one piece; `geturl` would leave slashes out where there is no host, as in `sqlite:///crm.db`."""
    rest = parts._replace(scheme="", netloc="", path="").geturl()
    return f"{parts.scheme}://{parts.netloc}{parts.path}{rest}"


def _bare(where: str) -> SplitResult:
    """An address without its password."""
    parts = urlsplit(where)
    user, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}")


async def find_list(platform: Platform, wanted: str) -> ContactList:
    """The contact list with this id, or with this name where it is the only one.

    Raises:
        NameList: There is none, or several have the name.
    """
    named: list[ContactList] = []
    names: dict[str, None] = {}
    async for each in platform.lists():
        names[each.name] = None
        if each.id == wanted:
            return each
        if each.name.strip().casefold() == wanted.strip().casefold():
            named.append(each)
    exact = [each for each in named if each.name == wanted]
    chosen = exact or named
    if len(chosen) > 1:
        ids = ", ".join(each.id for each in chosen[:5])
        raise NameList(f"{len(chosen)} contact lists are called {wanted!r}.", advice=f"Give the id: {ids}.")
    if chosen:
        return chosen[0]
    try:
        return await platform.contact_list(wanted)
    except NameList as error:
        raise _with_names(error, wanted, list(names)) from None


def _with_names(error: NameList, wanted: str, names: Sequence[str]) -> NameList:
    """What is said of a list that is not there, with names that may have been meant."""
    folded = {name.casefold(): name for name in names}
    word = wanted.strip().casefold()
    holding = [name for name in folded if word and word in name]
    near = dict.fromkeys([*holding, *get_close_matches(word, folded)][:3])
    if not near:
        return error
    told = " or ".join(repr(folded[name]) for name in near)
    return NameList(error.sentence, advice=f"Perhaps {told}; {error.advice}")
