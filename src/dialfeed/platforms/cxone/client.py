"""The CXone outbound dialect over HTTP: lists and contacts (`cxone-v2-dialect.md` sections 2 and 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

import orjson

from dialfeed.delivery.answers import Accepted, Answer, HeldBack, NotSent, Throttled, TooLarge, Unknown
from dialfeed.delivery.ports import Contacts, Leaving, unwatched
from dialfeed.errors import DialfeedError, FixAccess, FixConnection, NameList
from dialfeed.platforms.base import ContactList, Limits
from dialfeed.platforms.cxone.answers import parse, read_accepted, read_refused
from dialfeed.platforms.cxone.codec import JsonCodec
from dialfeed.platforms.cxone.tokens import Credentials, Tokens
from dialfeed.platforms.http import Held, Http, Lost, Reply

SCOPES = ("outbound:contactlist:write", "outbound:contact:write")
"""What the client must be allowed to do (section 1)."""

_PAGE_SIZE = 250
_PAGES_LIMIT = 10_000
_JOB_POLLS = 600
_JOB_DONE = {"succeeded", "success", "completed", "complete", "done", "finished", "partial"}
_JOB_FAILED = {"failed", "failure", "error", "cancelled", "canceled", "aborted"}
_ACCEPTED = {200, 201, 204, 207}
"""What says that contacts were taken (section 3); any other 2xx, and what is left of a 1xx, says nothing of them."""

_MAY_BE_STORED = {301, 302, 303, 408}
"""Beside 5xx: a redirect that asks to look elsewhere with a GET is how some servers confirm a POST."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs from tenant to tenant ("seen" in sections 1 and 3): profile settings.

    Attributes:
        token_path: Where tokens are had.
        credentials_in_body: Send id and secret as form fields instead of Basic authorisation.
        wrapped: Send `{"contacts": [...]}` instead of a bare array.
        limits: Sizes the platform takes.
    """

    token_path: str = "/api/v2/oauth/token"  # noqa: S105 - a path, not a secret
    credentials_in_body: bool = False
    wrapped: bool = False
    limits: Limits = field(default_factory=lambda: Limits(1000, 1 << 20, 50, 128, 512))


class CxonePlatform:
    """See `dialfeed.platforms.base.Platform`."""

    name = "cxone"

    def __init__(self, http: Http, credentials: Credentials, dialect: Dialect) -> None:
        self.limits = dialect.limits
        self.codec = JsonCodec(dialect.wrapped)
        self._http = http
        self._tokens = Tokens(http, credentials, dialect.token_path, in_body=dialect.credentials_in_body)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release connections."""
        await self._http.close()

    async def sign_in(self) -> None:
        """Get a token now."""
        await self._tokens.get()

    @property
    def tokens_issued(self) -> int:
        """How many tokens were asked for and had."""
        return self._tokens.issued

    @property
    def server_date(self) -> str | None:
        """The platform's own time when it last answered."""
        return self._http.server_date

    # --- lists (section 2) --------------------------------------------------------------------------------------

    async def lists(self) -> AsyncIterator[ContactList]:
        """All contact lists. Stops on an empty page, a missing `nextPage`, or a page that came before."""
        seen: set[str] = set()
        page: str | None = "1"
        for _ in range(_PAGES_LIMIT):
            if page is None:
                return
            params = {"page": page, "pageSize": str(_PAGE_SIZE)}
            reply = await self._signed("GET", "/api/v2/outbound/contactlists", kind="lists", params=params)
            data = _object(reply, self._http.host)
            entities = [entity for entity in data.get("entities") or () if isinstance(entity, dict) and "id" in entity]
            new = [entity for entity in entities if str(entity["id"]) not in seen]
            if not new:
                return
            for entity in new:
                seen.add(str(entity["id"]))
                yield _contact_list(entity)
            page = _next_page(data, page)

    async def contact_list(self, list_id: str) -> ContactList:
        """One list with its count; a count that is missing is unknown, not 0."""
        path = f"/api/v2/outbound/contactlists/{quote(list_id, safe='')}"
        reply = await self._signed("GET", path, kind="count")
        if reply.status == 404:
            raise NameList(
                f"There is no contact list {list_id!r}.", advice="`dialfeed lists` shows the lists there are."
            )
        return _contact_list({"id": list_id, **_object(reply, self._http.host)})

    async def _signed(self, method: str, path: str, **request: Any) -> Reply:
        """A repeatable request with a token; renewed once on a 401."""
        for _ in range(2):
            token = await self._tokens.get()
            reply = await self._http.steadily(method, path, headers=_headers(token), **request)
            if reply.status != 401:
                _refuse_misuse(reply, self._http.host)
                return reply
            self._tokens.reject(token)
        raise _signed_out(self._http.host)

    # --- contacts (section 3) -----------------------------------------------------------------------------------

    async def send(self, list_id: str, contacts: Contacts, leaving: Leaving = unwatched) -> Answer:
        """Send one batch once; a 401 renews the token and repeats, since nothing was stored."""
        path = f"/api/v2/outbound/contactlists/{quote(list_id, safe='')}/contacts"
        for _ in range(2):
            token = await self._tokens.get()
            headers = _headers(token) | {"Content-Type": "application/json"}
            try:
                reply = await self._http.once(
                    "POST",
                    path,
                    kind="contacts",
                    headers=headers,
                    body=contacts.body,
                    leaving=partial(_leave, contacts, leaving),
                )
            except Held:
                return HeldBack()
            except Lost as lost:
                return Unknown(lost.cause) if lost.sent else NotSent(lost.cause)
            if reply.status != 401:
                return await self._read(reply, contacts)
            self._tokens.reject(token)
        raise _signed_out(self._http.host)

    async def _read(self, reply: Reply, contacts: Contacts) -> Answer:
        status = reply.status
        if status == 202:
            return await self._follow_job(reply, contacts)
        if status in _ACCEPTED:
            if not reply.whole or reply.is_html:
                return Unknown("answer cut off" if not reply.whole else "answer is a web page", status)
            return read_accepted(status, reply.body, contacts.identities())
        if status == 429:
            return Throttled(self._http.pause_of(reply))
        if status == 413:
            return TooLarge()
        if status in {400, 409, 422}:
            return read_refused(status, reply.body, len(contacts.identities()))
        if status in _MAY_BE_STORED or not 300 <= status < 500:
            pause = self._http.pause_of(reply) if "retry-after" in reply.headers else None
            return Unknown(f"HTTP {status}", status, pause)
        if status < 400:  # to be repeated elsewhere; nobody knows whether it was stored here all the same
            return Unknown(f"HTTP {status}", status, ends=_redirected(reply, self._http.host))
        if status == 404:
            raise FixAccess(
                "The contact list is not there any more (HTTP 404).", advice="`dialfeed lists` shows which are."
            )
        _refuse_misuse(reply, self._http.host)
        raise FixAccess(  # without its words: they may repeat what was sent
            f"{self._http.host} does not take contacts in this form (HTTP {status}).",
            advice="Check the base URL, the list's columns and the body's form (--wrapped-body).",
        )

    async def _follow_job(self, reply: Reply, contacts: Contacts) -> Answer:
        """A 202: poll its `Location` until the job tells how it ended. The form of the job is open (section 3)."""
        location = reply.headers.get("location")
        if not location:
            return Unknown("accepted as a job without a place to ask", 202)
        for poll in range(_JOB_POLLS):
            await self._http.clock.sleep(min(0.1 * 1.5**poll, 5.0))
            try:
                answer = await self._signed("GET", location, kind="job")
            except DialfeedError:  # whatever keeps us from asking, the job goes on without us
                return Unknown("the job cannot be asked", 202)
            if answer.status >= 400:
                return Unknown("the job is not there", 202)
            result = _job_result(answer, contacts)
            if result is not None:
                return result
        return Unknown("the job does not end", 202)


def _job_result(reply: Reply, contacts: Contacts) -> Answer | None:
    """How a job ended; None while it runs, and also where its state is a word that we do not know."""
    if reply.status == 204:
        return Accepted(status=202)
    data = parse(reply.body)
    if isinstance(data, list):
        return read_accepted(200, reply.body, contacts.identities())
    if not isinstance(data, dict):
        return Unknown("the job does not tell its state", 202)
    state = str(data.get("status") or data.get("state") or "").lower()
    if state in _JOB_FAILED:
        return read_refused(400, reply.body, len(contacts.identities()))
    if state not in _JOB_DONE and "successCount" not in data:
        return None
    result = data.get("result")
    told = orjson.dumps(result) if isinstance(result, list | dict) else reply.body
    return read_accepted(200, told, contacts.identities())


def _leave(contacts: Contacts, leaving: Leaving) -> None:
    """A batch is about to be written, if it may be.

    Raises:
        Held: It may not.
    """
    if not contacts.may_leave():
        raise Held
    leaving()


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _refuse_misuse(reply: Reply, host: str) -> None:
    """Stop on answers that no repetition mends."""
    if reply.status == 403:
        raise FixAccess(
            f"{host} does not allow this (HTTP 403).",
            advice=f"The client needs the scopes {SCOPES[0]} and {SCOPES[1]}.",
        )
    if 300 <= reply.status < 400:
        raise _redirected(reply, host)


def _redirected(reply: Reply, host: str) -> FixConnection:
    try:
        elsewhere = urlsplit(reply.headers.get("location", "")).hostname or "another address"
    except ValueError:  # it is no address
        elsewhere = "another address"
    return FixConnection(
        f"{host} redirects to {elsewhere} (HTTP {reply.status}); contacts are never sent on to another address.",
        advice="If that is where the platform lives, use it as the base URL.",
    )


def _signed_out(host: str) -> FixAccess:
    return FixAccess(
        f"{host} refuses a token that it has just issued (HTTP 401 twice).",
        advice="Check that the client belongs to this tenant and is not being revoked, then resume the run.",
    )


def _object(reply: Reply, host: str) -> dict[str, Any]:
    data = parse(reply.body)
    if reply.status != 200 or not isinstance(data, dict):
        raise FixConnection(
            f"{host} does not answer like the platform's API (HTTP {reply.status}).",
            advice="Check the base URL: it is the tenant's address without a path.",
        )
    return data


def _contact_list(entity: Mapping[str, Any]) -> ContactList:
    count = entity.get("totalContactCount", entity.get("size"))
    known = isinstance(count, int) and not isinstance(count, bool) and count >= 0
    return ContactList(str(entity["id"]), str(entity.get("name") or ""), count if known else None)


def _next_page(data: Mapping[str, Any], current: str) -> str | None:
    """The next page's number: given as a number, as text, or within a URL (section 2)."""
    pagination = data.get("pagination")
    given = pagination.get("nextPage") if isinstance(pagination, dict) else data.get("nextPage")
    if given is None or given == "" or isinstance(given, bool):
        return None
    text = str(given)
    if not text.isdigit():
        text = next(iter(parse_qs(urlsplit(text).query).get("page", ())), "")
    return text if text and text != current else None
