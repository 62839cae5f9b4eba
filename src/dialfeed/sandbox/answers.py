"""The many forms in which platforms say the same thing: pure functions from facts and settings to replies."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dialfeed.sandbox.reply import Refusal, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialfeed.sandbox.rules import Contact, FieldError
    from dialfeed.sandbox.settings import RetryAfter, Settings


# --- refusals ---------------------------------------------------------------------------------------------------------


def refusal(refused: Refusal, settings: Settings) -> Reply:
    """The error body of a refusal, with its field errors in the form the settings ask for."""
    payload = {"status": refused.status, "code": refused.code, "message": refused.message, **refused.extra}
    if refused.errors and settings.path_form != "none":
        told = refused.errors[: settings.max_errors]
        payload[settings.error_key] = [field_error(error, settings) for error in told]
    return Reply.json(refused.status, payload, refused.headers)


def field_error(error: FieldError, settings: Settings) -> dict[str, Any]:
    """One field error as a JSON object."""
    message = f"{error.message}: {error.value!r}" if settings.echo_values else error.message
    if settings.path_form == "none":
        return {"message": message}
    if settings.path_form == "field_name":
        return {"fieldName": error.column, "message": message}
    return {"path": _PATHS[settings.path_form](error.index, error.column), "message": message}


def _dotted(prefix: str) -> Callable[[int, str], str]:
    return lambda index, column: f"{prefix}[{index}].{column}" if column else f"{prefix}[{index}]"


def _pointer(index: int, column: str) -> str:
    escaped = column.replace("~", "~0").replace("/", "~1")
    return f"/{index}/{escaped}" if column else f"/{index}"


_PATHS: dict[str, Callable[[int, str], str]] = {
    "bracket": _dotted(""),
    "contacts": _dotted("contacts"),
    "jsonpath": _dotted("$"),
    "pointer": _pointer,
}


# --- waiting ----------------------------------------------------------------------------------------------------------


def retry_after(form: RetryAfter, seconds: float, server_time: float) -> tuple[dict[str, str], dict[str, float]]:
    """Say how long to wait.

    Args:
        form: How to say it.
        seconds: How long.
        server_time: The server's own clock, seconds since 1970, with its skew.

    Returns:
        Headers, and members of the JSON body.
    """
    if form == "body":
        return {}, {"retry_after": seconds}
    whole = max(1, math.ceil(seconds))
    texts = {
        "seconds": str(whole),
        "decimals": f"{seconds:.3f}",
        "date": formatdate(math.floor(server_time) + whole, usegmt=True),
        "past_date": formatdate(server_time - 3600, usegmt=True),
        "list": f"{whole},{4 * whole}",
        "garbage": "soon",
        "huge": "999999999",
        "negative": f"-{whole}",
    }
    return ({"Retry-After": texts[form]} if form in texts else {}), {}


def too_many(form: RetryAfter, seconds: float, server_time: float) -> Refusal:
    """The answer to one request too many."""
    headers, extra = retry_after(form, seconds, server_time)
    return Refusal(429, "too.many.requests", "Rate limit exceeded.", headers=headers, extra=extra)


# --- contacts that were taken -----------------------------------------------------------------------------------------


def array(contacts: Sequence[Contact], ids: Sequence[str]) -> Reply:
    """201 with every stored contact and its ``id``; writes the ids into the contacts given."""
    for contact, identity in zip(contacts, ids, strict=True):
        contact["id"] = identity
    return Reply.json(201, contacts)


def short(contacts: Sequence[Contact], ids: Sequence[str], keep: int, seed: str) -> Reply:
    """201 with only `keep` of the stored contacts, in another order."""
    members = [{**contact, "id": identity} for contact, identity in zip(contacts, ids, strict=True)]
    return Reply.json(201, random.Random(seed).sample(members, keep))  # noqa: S311  chance to be repeated, no secret


def counts(stored: int, errors: Sequence[FieldError], settings: Settings) -> dict[str, Any]:
    """How many were stored, how many failed, and why."""
    failed = len({error.index for error in errors})
    told = [field_error(error, settings) for error in errors[: settings.max_errors]]
    return {"successCount": stored, "failureCount": failed, "errors": told}


def per_contact(total: int, ids: Sequence[str], errors: Sequence[FieldError], settings: Settings) -> Reply:
    """207 with one member for each contact that was sent, in order."""
    wrong: dict[int, FieldError] = {}
    for error in errors:
        wrong.setdefault(error.index, error)
    following = iter(ids)
    members = [
        {"status": wrong[index].status, "error": field_error(wrong[index], settings)}
        if index in wrong
        else {"status": 201, "id": next(following)}
        for index in range(total)
    ]
    return Reply.json(207, members)


# --- pages of lists ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of how many.

    Attributes:
        asked: The page that was asked for, from 1.
        size: Entities on a page.
        total: Entities on all pages.
    """

    asked: int
    size: int
    total: int

    @property
    def count(self) -> int:
        """Pages there are; an empty collection has one."""
        return max(1, math.ceil(self.total / self.size))

    def shown(self, settings: Settings) -> int:
        """The page that is answered, which is not the one asked for if the platform ignores that."""
        return 1 if settings.ignore_page else self.asked

    def window(self, settings: Settings) -> slice:
        """The entities on the page that is answered."""
        shown = self.shown(settings)
        return slice((shown - 1) * self.size, shown * self.size)


def page(entities: Sequence[Mapping[str, Any]], which: Page, base: str, settings: Settings) -> Reply:
    """One page of contact lists.

    Args:
        entities: The lists of this page, as they are told.
        which: Which page it is.
        base: What whole URLs begin with, up to the query.
        settings: The form of the paging.
    """
    pagination = _next_page(which, base, settings)
    if settings.page_extras:
        shown = which.shown(settings)
        pagination |= {"pageNumber": shown, "pageSize": which.size, "pageCount": which.count, "total": which.total}
    payload: dict[str, Any] = {"pagination": pagination}
    if entities or settings.empty_entities == "empty":
        payload["entities"] = entities
    return Reply.json(200, payload)


def _next_page(which: Page, base: str, settings: Settings) -> dict[str, Any]:
    last = which.count + 1 if settings.last_page == "always" else which.count
    if which.asked >= last and not settings.ignore_page:
        ends: dict[str, dict[str, Any]] = {"null": {"nextPage": None}, "empty": {"nextPage": ""}}
        return ends.get(settings.last_page, {})
    following = which.asked + 1
    url = f"{base}?page={following}&pageSize={which.size}"
    path = urlsplit(url)._replace(scheme="", netloc="").geturl()
    forms: dict[str, int | str] = {"number": following, "string": str(following), "url": url, "path": path}
    extra = {"nextUri": path} if settings.page_extras else {}
    return {"nextPage": forms[settings.page_style], **extra}
