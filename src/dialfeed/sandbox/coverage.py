"""What the sandbox emulates of the `cxone` dialect, and what it does not: an honest list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that a platform does.

    Attributes:
        feature: What it is.
        emulated: Whether the sandbox does it.
        note: How, or why not.
    """

    feature: str
    emulated: bool
    note: str


_EMULATED = (
    ("token by client credentials", "Basic header or form; lifetime told as number, string, wrongly or not at all"),
    ("scopes", "two scopes, checked at each request against the settings"),
    ("token expiry and revocation", "401 with WWW-Authenticate; all tokens can be revoked in mid-run"),
    ("pages of contact lists", "nextPage as number, string, URL or path; four forms of the end; ignored page numbers"),
    ("count of a contact list", "right, late by fixed or drawn seconds, seldom renewed, under another name, missing"),
    ("adding contacts", "bare or wrapped array, chunked, 1 to 1000 contacts, limits of bytes, columns and characters"),
    ("contact rules", "types, E.164 form, e-mail shape, alpha-2 countries, flags that are booleans"),
    ("field errors", "six forms of the path, all or some errors, refused values repeated or not"),
    ("unique key", "409 with paths, within the batch and against the list"),
    ("answers", "201 array or short array, 200 counts, 202 job, 204, 207 per contact"),
    ("rate limit", "one sliding second over the organisation; ten forms of Retry-After"),
    ("faults", "see FAULT_KINDS; seeded and numbered"),
    ("keep-alive and cut connections", "orderly closes and TCP resets before, in and after a request"),
)
_NOT_EMULATED = (
    ("Idempotency-Key", "taken and ignored, as on the platform: nothing may rely on it"),
    ("reading contacts back", "the dialect has no call for it; the control plane has"),
    ("changing or deleting contacts and lists", "not in the dialect"),
    ("real numbering plans", "a phone is checked for its form only"),
    ("real e-mail rules", "one @ with something on both sides and no blanks"),
    ("repeated member names in one JSON object", "the last one counts"),
    ("compressed request bodies", "refused with 415"),
    ("HTTP/2", "HTTP/1.1 only"),
    ("several organisations", "one server is one organisation with one client"),
    ("other grants and refresh tokens", "client_credentials only"),
    ("contacts that a list had from the start or got from another writer", "only their number is known"),
    ("dialling rules, campaigns, attempts", "contacts are stored and counted, never dialled"),
)


def coverage() -> tuple[Feature, ...]:
    """What is emulated, then what is not."""
    return tuple(
        Feature(feature, emulated, note)
        for emulated, table in ((True, _EMULATED), (False, _NOT_EMULATED))
        for feature, note in table
    )
