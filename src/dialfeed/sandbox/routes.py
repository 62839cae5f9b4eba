"""The platform's routes (`cxone-v2-dialect.md` sections 1 to 3): strict, and free of any connection.

Each handler is a function from the state and a `Call` to a `Reply`; what it does not accept it raises as a `Refusal`.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

import orjson

from dialfeed.sandbox import answers
from dialfeed.sandbox.reply import Call, Refusal, Reply
from dialfeed.sandbox.rules import FieldError, find_errors, is_clean
from dialfeed.sandbox.state import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialfeed.sandbox.faults import Fault
    from dialfeed.sandbox.rules import Contact
    from dialfeed.sandbox.settings import Settings
    from dialfeed.sandbox.state import State
    from dialfeed.sandbox.store import ContactList

READ_LISTS = "outbound:contactlist:write"
ADD_CONTACTS = "outbound:contact:write"
LISTS_PATH = "/api/v2/outbound/contactlists"
JOBS_PATH = "/api/v2/outbound/jobs"


@dataclass(frozen=True, slots=True)
class Work:
    """What a handler is asked to do.

    Attributes:
        state: The organisation.
        call: The request.
        key: The id in the path, if there is one.
        ordinal: The request's number among those to its target.
        fault: A fault that bends the storing itself: ``partial_store``, ``delayed_write`` or ``short_answer``.
        now: Monotonic seconds.
    """

    state: State
    call: Call
    key: str
    ordinal: int
    fault: Fault | None
    now: float

    @property
    def settings(self) -> Settings:
        """How the platform behaves."""
        return self.state.settings


Handler: TypeAlias = "Callable[[Work], Reply]"


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        target: What faults, ordinals and gauges call it.
        label: What the statistics call it.
        handler: What does the work.
        scope: The scope a token needs; empty for routes that need no token.
        key: The id in the path.
    """

    target: str
    label: str
    handler: Handler
    scope: str = ""
    key: str = ""


# --- which route ------------------------------------------------------------------------------------------------------


def find_route(method: str, path: str, settings: Settings) -> Route:
    """The route of a request; unknown ones get a route that refuses with 404 or 405."""
    if path == settings.token_path:
        return Route("token", f"POST {path}", give_token) if method == "POST" else _OTHER_METHOD
    found = [(verb, route, match) for verb, pattern, route in _ROUTES if (match := pattern.fullmatch(path))]
    for verb, route, match in found:
        if verb == method:
            key = match[1] if match.re.groups else ""
            return Route(route.target, route.label, route.handler, route.scope, key)
    return _OTHER_METHOD if found else _UNKNOWN


def _unknown(work: Work) -> Reply:
    raise Refusal(404, "not.found", f"There is no {work.call.path}.")


def _other_method(work: Work) -> Reply:
    raise Refusal(405, "method.not.allowed", f"{work.call.method} is not allowed here.")


def perform(route: Route, work: Work) -> Reply:
    """Do a request's work: check its token and size, then let the route's handler answer."""
    try:
        if route.scope:
            _check_token(work, route.scope)
        _check_size(work)
        return route.handler(work)
    except Refusal as refused:
        return answers.refusal(refused, work.settings)


# --- tokens -----------------------------------------------------------------------------------------------------------


def give_token(work: Work) -> Reply:
    """Section 1: a token for the right id and secret, asked for with a form."""
    call, settings = work.call, work.settings
    _accepts_json(call)
    if _media_type(call) != "application/x-www-form-urlencoded":
        raise _token_refusal(400, "invalid_request", "The body must be a form, not JSON.")
    form = {name: values[0] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
    if _credentials(call, form, settings) != (settings.client_id, settings.client_secret):
        raise _token_refusal(401, "invalid_client", "The client id or secret is wrong or missing.")
    if form.get("grant_type") != "client_credentials":
        raise _token_refusal(400, "unsupported_grant_type", "grant_type must be client_credentials.")
    return _new_token(work)


def _token_refusal(status: int, error: str, description: str) -> Refusal:
    headers = {"WWW-Authenticate": 'Basic realm="sandbox"'} if status == 401 else {}
    extra = {"error": error, "error_description": description}
    return Refusal(status, error, description, headers=headers, extra=extra)


def _credentials(call: Call, form: dict[str, str], settings: Settings) -> tuple[str, str]:
    """The id and the secret from where they are allowed to be; two empty texts when they are not there."""
    scheme, _, encoded = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic" and settings.credentials_in != "form":
        return _decode_basic(encoded)
    if settings.credentials_in != "header":
        return form.get("client_id", ""), form.get("client_secret", "")
    return "", ""


def _decode_basic(encoded: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    identity, _, secret = text.partition(":")
    return identity, secret


def _new_token(work: Work) -> Reply:
    settings = work.settings
    token = secrets.token_urlsafe(24)
    work.state.tokens[token] = work.now + settings.token_ttl_s
    work.state.tokens_issued += 1
    payload: dict[str, Any] = {"access_token": token, "token_type": "bearer"}
    claimed = settings.token_ttl_s if settings.token_claimed_s is None else settings.token_claimed_s
    whole = int(claimed) if claimed == int(claimed) else claimed
    if settings.expires_in_form != "absent":
        payload["expires_in"] = whole if settings.expires_in_form == "number" else str(whole)
    return Reply.json(200, payload, {"Cache-Control": "no-store"})


def _check_token(work: Work, scope: str) -> None:
    scheme, _, token = work.call.headers.get("Authorization", "").partition(" ")
    expires = work.state.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
    if expires is None or expires <= work.now:
        wrong = "missing or unknown" if expires is None else "expired"
        headers = {"WWW-Authenticate": 'Bearer realm="sandbox", error="invalid_token"'}
        raise Refusal(401, "bad.credentials", f"The access token is {wrong}.", headers=headers)
    if scope not in work.settings.scopes:
        raise Refusal(403, "missing.permissions", f"The client lacks the scope {scope}.", extra={"missing": [scope]})


def _check_size(work: Work) -> None:
    if work.call.oversized:
        raise Refusal(413, "payload.too.large", f"A body has at most {work.settings.max_body_bytes} bytes.")


# --- headers ----------------------------------------------------------------------------------------------------------


def _media_type(call: Call) -> str:
    return call.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _accepts_json(call: Call) -> None:
    wanted = [part.partition(";")[0].strip().lower() for part in call.headers.get("Accept", "").split(",")]
    if "application/json" not in wanted:
        raise Refusal(406, "not.acceptable", "Accept must name application/json.")


def _check_contact_headers(call: Call, settings: Settings) -> None:
    if _media_type(call) != "application/json":
        raise Refusal(415, "unsupported.media.type", "Content-Type must be application/json.")
    _accepts_json(call)
    if call.headers.get("Content-Encoding", "identity") != "identity":
        raise Refusal(415, "unsupported.encoding", "Content-Encoding is not supported.")
    if settings.require_chunked and call.headers.get("Transfer-Encoding", "").lower() != "chunked":
        status = 400 if "Content-Length" in call.headers else 411
        raise Refusal(status, "chunked.required", "Transfer-Encoding must be chunked.")


# --- reading lists ----------------------------------------------------------------------------------------------------


def read_lists(work: Work) -> Reply:
    """Section 2: one page of contact lists."""
    number = _whole_number(work.call, "page", 1)
    size = _whole_number(work.call, "pageSize", 25)
    if size > work.settings.max_page_size:
        raise Refusal(400, "bad.request", f"pageSize is at most {work.settings.max_page_size}.")
    which = answers.Page(number, size, len(work.state.lists))
    told = list(work.state.lists.values())[which.window(work.settings)]
    entities = [_list_payload(one, work) for one in told]
    return answers.page(entities, which, work.call.base + LISTS_PATH, work.settings)


def _whole_number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise Refusal(400, "bad.request", f"{name} must be a whole number from 1.")
    return int(text)


def read_list(work: Work) -> Reply:
    """Section 2: one contact list with its count."""
    return Reply.json(200, _list_payload(work.state.find_list(work.key), work))


def _list_payload(one: ContactList, work: Work) -> dict[str, Any]:
    payload: dict[str, Any] = {"id": one.identity, "name": one.name}
    if work.settings.count_field != "missing":
        payload[work.settings.count_field] = one.count.read(work.now, work.settings.count_every)
    return payload


# --- adding contacts --------------------------------------------------------------------------------------------------


def add_contacts(work: Work) -> Reply:
    """Section 3: judge a batch, store what is good, answer in the form that the settings ask for."""
    target = work.state.find_list(work.key)
    _check_contact_headers(work.call, work.settings)
    contacts = _read_batch(work.call, work.settings)
    errors = _judge(contacts, target, work)
    if errors and not (work.settings.partial or work.settings.answer == "per_contact"):
        status = max(error.status for error in errors) if all(e.status == 409 for e in errors) else 400
        code = "conflict" if status == 409 else "bad.request"
        raise Refusal(status, code, f"The batch was refused: {len(errors)} field errors.", errors=errors)
    wrong = {error.index for error in errors}
    good = [contact for index, contact in enumerate(contacts) if index not in wrong] if wrong else contacts
    return _take(target, contacts, good, errors, work)


def _read_batch(call: Call, settings: Settings) -> list[Any]:
    try:
        decoded = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise Refusal(400, "bad.json", "The body is not valid JSON.") from None
    if settings.wrapped:
        decoded = decoded.get("contacts") if isinstance(decoded, dict) and decoded.keys() == {"contacts"} else None
    if not isinstance(decoded, list):
        form = '{"contacts": [...]}' if settings.wrapped else "a bare array of contacts"
        raise Refusal(400, "bad.request", f"The body must be {form}.")
    if not 1 <= len(decoded) <= settings.max_contacts:
        raise Refusal(400, "bad.request", f"A request has 1 to {settings.max_contacts} contacts.")
    return decoded


def _judge(contacts: Sequence[Any], target: ContactList, work: Work) -> list[FieldError]:
    rules = work.state.rules
    errors = [] if is_clean(contacts, target.columns, rules) else find_errors(contacts, target.columns, rules)
    key = work.settings.unique_key
    if key:
        errors += _taken_keys(contacts, {error.index for error in errors}, target, key)
        errors.sort(key=lambda error: error.index)
    return errors


def _taken_keys(contacts: Sequence[Any], wrong: set[int], target: ContactList, key: str) -> list[FieldError]:
    found: list[FieldError] = []
    here: set[str] = set()
    for index, contact in enumerate(contacts):
        if index in wrong or key not in contact:
            continue
        value = contact[key]
        if value in target.keys or value in here:
            found.append(FieldError(index, key, "is taken by another contact of this list", 409, value))
        here.add(value)
    return found


def _take(target: ContactList, sent: list[Contact], good: list[Contact], errors: list[FieldError], work: Work) -> Reply:
    """Store the good contacts, bent as the fault asks, and answer."""
    state, settings, fault = work.state, work.settings, work.fault
    body = work.call.body if good is sent else orjson.dumps(good)
    if fault and fault.kind == "partial_store":
        kept = good[: fault.keep_of(len(good))]
        state.store(target, kept, orjson.dumps(kept), work.now)
        raise Refusal(fault.status_or_default, "internal.error", "Something went wrong.")
    if fault and fault.kind == "delayed_write":
        state.store_later(target, good, body, work.now + (fault.seconds_or_default or 0.0))
        raise Refusal(fault.status_or_default, "gateway.timeout", "No answer from the service in time.")
    if settings.answer == "job":
        return _start_job(target, good, body, errors, work)
    ids = state.store(target, good, body, work.now)
    return _accepted(sent, good, ids, errors, work)


def _accepted(sent: list[Contact], good: list[Contact], ids: list[str], errors: list[FieldError], work: Work) -> Reply:
    settings, fault = work.settings, work.fault
    seed = f"{settings.seed}:short:{work.ordinal}"
    if fault and fault.kind == "short_answer":
        return answers.short(good, ids, fault.keep_of(len(good)), seed)
    if settings.answer == "short":
        return answers.short(good, ids, int(len(good) * min(settings.short_share, 1)), seed)
    if settings.answer == "counts":
        return Reply.json(200, answers.counts(len(good), errors, settings))
    if settings.answer == "per_contact":
        return answers.per_contact(len(sent), ids, errors, settings)
    return Reply(204, content_type="") if settings.answer == "empty" else answers.array(good, ids)


# --- jobs -------------------------------------------------------------------------------------------------------------


def _start_job(target: ContactList, good: list[Contact], body: bytes, errors: list[FieldError], work: Work) -> Reply:
    state, settings = work.state, work.settings
    done_at = work.now + settings.job_s
    identity = f"{state.serial():08x}-10b5-4000-8000-dea1feed0000"
    state.jobs[identity] = Job(done_at, settings.job_outcome, len(good), tuple(errors))
    if settings.job_outcome == "succeeded":
        state.store_later(target, good, body, done_at)
    location = f"{JOBS_PATH}/{identity}"
    where = work.call.base + location if settings.absolute_location else location
    return Reply.json(202, {"id": identity, "status": "running"}, {"Location": where})


def read_job(work: Work) -> Reply:
    """How far a job is: ``running``, then ``succeeded`` or ``failed`` with counts."""
    job = work.state.jobs.get(work.key)
    if job is None:
        raise Refusal(404, "not.found", "There is no job with this id.")
    if work.now < job.done_at:
        return Reply.json(200, {"id": work.key, "status": "running"})
    told: dict[str, Any] = {"id": work.key, "status": job.outcome}
    stored = job.accepted if job.outcome == "succeeded" else 0
    told |= answers.counts(stored, job.errors, work.settings)
    if job.outcome == "failed":
        told["failureCount"] += job.accepted
    return Reply.json(200, told)


_UNKNOWN = Route("other", "other", _unknown)
_OTHER_METHOD = Route("other", "other", _other_method)
_ROUTES: tuple[tuple[str, re.Pattern[str], Route], ...] = (
    ("GET", re.compile(LISTS_PATH), Route("lists", f"GET {LISTS_PATH}", read_lists, READ_LISTS)),
    (
        "GET",
        re.compile(LISTS_PATH + r"/([^/]+)"),
        Route("count", f"GET {LISTS_PATH}/{{id}}", read_list, READ_LISTS),
    ),
    (
        "POST",
        re.compile(LISTS_PATH + r"/([^/]+)/contacts"),
        Route("contacts", f"POST {LISTS_PATH}/{{id}}/contacts", add_contacts, ADD_CONTACTS),
    ),
    ("GET", re.compile(JOBS_PATH + r"/([^/]+)"), Route("job", f"GET {JOBS_PATH}/{{id}}", read_job, ADD_CONTACTS)),
)
