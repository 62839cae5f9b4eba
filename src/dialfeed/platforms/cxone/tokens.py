"""Signing in: the access token that every request carries (`cxone-v2-dialect.md` section 1)."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

from dialfeed.errors import DialfeedError, FixAccess, FixConnection
from dialfeed.platforms.cxone.answers import parse
from dialfeed.platforms.http import Http, Reply

_RENEW_EARLY = 60.0
_LIFETIME_UNSAID = 1800.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in. The secret is not part of the text form, so that no log can hold it."""

    client_id: str = field(repr=False)
    secret: str = field(repr=False)


class Tokens:
    """The access token: cached, renewed 60 s before it ends, by one request however many wait for it.

    Args:
        http: The platform.
        credentials: Who signs in.
        path: Where tokens are had.
        in_body: Send id and secret as form fields instead of Basic authorisation.
    """

    def __init__(self, http: Http, credentials: Credentials, path: str, *, in_body: bool) -> None:
        self._http = http
        self._credentials = credentials
        self._path = path
        self._in_body = in_body
        self._token = ""
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()
        self._renewals = 0
        self._failure: DialfeedError | None = None
        self.issued = 0

    async def get(self) -> str:
        """A token that is good for now. Who waits while another asks shares what comes of it, also a failure.

        Raises:
            FixAccess: The credentials are not accepted.
            FixConnection: There is no token to be had.
        """
        renewals = self._renewals
        async with self._renewing:
            if self._token and self._http.clock.now() < self._renew_at:
                return self._token
            if self._failure is not None and self._renewals != renewals:
                raise self._failure
            await self._try_to_renew()
            return self._token

    async def _try_to_renew(self) -> None:
        self._failure = None
        try:
            await self._renew()
        except DialfeedError as error:
            self._failure = error
            raise
        finally:
            self._renewals += 1

    def reject(self, token: str) -> None:
        """The platform no longer takes this token; a newer one stays."""
        if token == self._token:
            self._token = ""

    async def _renew(self) -> None:
        asked_at = self._http.clock.now()
        headers = {"Accept": "application/json"}
        form = {"grant_type": "client_credentials"}
        if self._in_body:
            form |= {"client_id": self._credentials.client_id, "client_secret": self._credentials.secret}
        else:
            pair = f"{self._credentials.client_id}:{self._credentials.secret}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        retries = 5 if self.issued else 2
        reply = await self._http.steadily("POST", self._path, kind="token", retries=retries, headers=headers, form=form)
        self._token, lifetime = _read_token(reply, self._http.host)
        self._renew_at = asked_at + max(lifetime - _RENEW_EARLY, lifetime / 2)
        self.issued += 1
        self._http.observe("token.obtained", number=self.issued, lifetime=lifetime)


def _read_token(reply: Reply, host: str) -> tuple[str, float]:
    if reply.status in {400, 401, 403}:
        raise FixAccess(
            f"{host} does not accept the client id and secret (HTTP {reply.status}).",
            advice="Check CXONE_CLIENT_ID and CXONE_CLIENT_SECRET: same tenant, not expired, no blanks around them.",
        )
    data = parse(reply.body)
    token = data.get("access_token") if isinstance(data, dict) else None
    if reply.status != 200 or not isinstance(token, str) or not token:
        raise FixConnection(
            f"{host} answers the sign-in with HTTP {reply.status} and no token.",
            advice="Check the base URL, and the token path of the profile.",
        )
    return token, _lifetime(data.get("expires_in"))


def _lifetime(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return _LIFETIME_UNSAID
    return seconds if 0 < seconds < 1e9 else _LIFETIME_UNSAID
