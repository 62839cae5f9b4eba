"""Everything about the stand-in that a test, a demo or a user may turn."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from dialfeed.sandbox.jsonform import check_fields, read_fields

RetryAfter = Literal[
    "seconds", "decimals", "date", "list", "garbage", "absent", "body", "past_date", "huge", "negative"
]
"""The forms in which a platform says how long to wait (`cxone-v2-dialect.md` section 3, and the field)."""

AnswerForm = Literal["array", "short", "counts", "job", "empty", "per_contact"]
"""What a platform answers to contacts it took: 201 array, 201 short array, 200 counts, 202 job, 204, 207."""

PathForm = Literal["bracket", "contacts", "pointer", "jsonpath", "field_name", "none"]
"""How a field error says where: ``[3].phone``, ``contacts[3].phone``, ``/3/phone``, ``$[3].phone``, fieldName, not."""

ALL_SCOPES = ("outbound:contactlist:write", "outbound:contact:write")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the sandbox behaves; the JSON form of the control plane has the same names and values.

    The defaults are the given form of `cxone-v2-dialect.md`; every other value is one that was seen.

    Attributes:
        client_id: The one client that may have a token.
        client_secret: Its secret; made up, and for this stand-in only.
        scopes: What the client may do. Reading lists needs ``outbound:contactlist:write``, adding contacts needs
            ``outbound:contact:write``.
        credentials_in: Where the token route looks for them: the Basic ``header``, the ``form``, or ``either``.
        token_path: The path of the token route.
        token_ttl_s: Seconds after which a token is refused.
        token_claimed_s: What ``expires_in`` says, when that is not the truth.
        expires_in_form: ``expires_in`` as a number, as a string, or absent.
        rate_limit: Requests that are let through in any one second, over all but the token route; none is no limit.
        retry_after: The form in which a rate-limited answer says how long to wait.
        max_contacts: Contacts in one request.
        max_body_bytes: Bytes of one request's body; above it the answer is 413.
        max_columns: Different column names on one contact list.
        max_header: Characters of a column name.
        max_cell: Characters of a value.
        require_chunked: Refuse contacts that do not come with ``Transfer-Encoding: chunked``.
        wrapped: Expect ``{"contacts": […]}`` instead of a bare array.
        plus_required: Refuse phones without the leading ``+``, which the dialect calls optional.
        unique_key: A column that no two contacts of a list may share; a repeated value is answered with 409.
            Contacts that were stored before it was set do not count.
        answer: What is answered to contacts that were taken.
        partial: With ``counts`` and ``job``, take the good contacts of a batch and count the others as failed.
            ``per_contact`` always does so.
        short_share: Which share of the contacts a ``short`` answer tells of; the order is shuffled by `seed`.
        job_s: Seconds until a job is done and its contacts are stored.
        job_outcome: How jobs end; a failed job stores nothing.
        absolute_location: Give the job's ``Location`` as a whole URL instead of a path.
        path_form: How field errors say where they are.
        error_key: The key that holds the field errors.
        max_errors: How many field errors are told; none tells all.
        echo_values: Repeat the refused value in the error message, as careless platforms do.
        page_style: What ``nextPage`` is: a number, a string of digits, a URL or a path with query.
        last_page: What ``nextPage`` is on the last page: null, missing, an empty string, or (``always``) one page more
            that has no entities.
        empty_entities: Whether a page beyond the last has an empty list or no ``entities`` at all.
        page_extras: Also give ``pageNumber``, ``pageSize``, ``pageCount``, ``total`` and ``nextUri``.
        ignore_page: Answer the first page whatever page was asked for.
        max_page_size: The largest ``pageSize`` that is taken.
        count_field: The name under which a list's count is given, or ``missing``.
        count_lag_s: Seconds until a write shows in the count.
        count_lag_jitter_s: Further seconds, drawn evenly from 0 to this for each write by `seed`.
        count_every: The count is taken anew only at every this many reads of it.
        latency_s: Seconds between having done a request's work and answering it.
        clock_skew_s: How far the clock of the ``Date`` header is ahead of the real one.
        seed: Decides whatever is drawn.
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105  made up, and accepted by this stand-in only
    scopes: tuple[str, ...] = ALL_SCOPES
    credentials_in: Literal["header", "form", "either"] = "header"
    token_path: str = "/api/v2/oauth/token"  # noqa: S105  a path
    token_ttl_s: float = 3600.0
    token_claimed_s: float | None = None
    expires_in_form: Literal["number", "string", "absent"] = "number"
    rate_limit: int | None = 50
    retry_after: RetryAfter = "seconds"
    max_contacts: int = 1000
    max_body_bytes: int = 1 << 20
    max_columns: int = 50
    max_header: int = 128
    max_cell: int = 512
    require_chunked: bool = True
    wrapped: bool = False
    plus_required: bool = True
    unique_key: str | None = None
    answer: AnswerForm = "array"
    partial: bool = False
    short_share: float = 0.9
    job_s: float = 0.05
    job_outcome: Literal["succeeded", "failed"] = "succeeded"
    absolute_location: bool = False
    path_form: PathForm = "bracket"
    error_key: Literal["details", "errors"] = "details"
    max_errors: int | None = None
    echo_values: bool = False
    page_style: Literal["number", "string", "url", "path"] = "number"
    last_page: Literal["null", "missing", "empty", "always"] = "null"
    empty_entities: Literal["empty", "missing"] = "empty"
    page_extras: bool = True
    ignore_page: bool = False
    max_page_size: int = 250
    count_field: Literal["totalContactCount", "size", "missing"] = "totalContactCount"
    count_lag_s: float = 0.0
    count_lag_jitter_s: float = 0.0
    count_every: int = 1
    latency_s: float = 0.0
    clock_skew_s: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            ValueError: One sentence that names the setting and says what is expected.
        """
        check_fields(self)
        for name in AT_LEAST_ONE:
            _at_least(name, getattr(self, name), 1)
        for name in NOT_NEGATIVE:
            _at_least(name, getattr(self, name), 0)

    def changed(self, data: object) -> Settings:
        """These settings with some of them changed.

        Args:
            data: A JSON object of the settings to change.

        Raises:
            ValueError: An unknown name or a value of another kind, in one sentence.
        """
        return replace(self, **read_fields(Settings, data, "the table of settings"))

    def to_json(self) -> dict[str, Any]:
        """All settings by name, ready for JSON."""
        return asdict(self)


AT_LEAST_ONE = ("rate_limit", "max_contacts", "max_columns", "max_page_size", "max_errors", "count_every")
NOT_NEGATIVE = (
    "token_ttl_s",
    "max_body_bytes",
    "max_header",
    "max_cell",
    "short_share",
    "job_s",
    "count_lag_s",
    "count_lag_jitter_s",
    "latency_s",
)


def _at_least(name: str, value: float | None, least: int) -> None:
    if value is not None and not value >= least:  # "not >=" also catches a not-a-number
        raise ValueError(f"{name!r} must be at least {least}.")
