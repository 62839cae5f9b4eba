"""S3-compatible object storage as a sink: an object for each range of events, never changed once it is there.

    PREFIX/RUN/events/00000001-00000180-0123456789abcdef.jsonl
    PREFIX/RUN/summary/00000180-0123456789abcdef.json

A name says which events are in it and ends in the hash of the last one, so that the same name always means the same
content: repeating a range changes nothing, and a bucket under object lock takes it too. Ranges may overlap after a
crash; events are known by run, number and hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from dialfeed.audit.sinks.addresses import SinkAddress
from dialfeed.audit.sinks.base import Acknowledged, Answer, Event, Later, Reached
from dialfeed.errors import FixSettings
from dialfeed.optional import check_installed, needed

_EXTRA: Final = {"extra": "remote", "purpose": "send the audit trail to object storage"}
_SECRETS: Final = {
    "ACCESS_KEY_ID": "access_key_id",
    "SECRET_ACCESS_KEY": "secret_access_key",
    "SESSION_TOKEN": "session_token",
}


class ObjectSink:
    """A bucket (`dialfeed.audit.sinks.base.Sink`).

    Args:
        address: Where it is.
        secrets: Environment variables of the sinks; without keys of its own, those of AWS's tools are used.
        timeout: Seconds for one object.
        proxy: An HTTP proxy.

    Raises:
        FixSettings: obstore is not installed, or only one half of the keys is there.
    """

    most = 1000
    linger = 5.0

    def __init__(self, address: SinkAddress, secrets: Mapping[str, str], timeout: float, proxy: str | None) -> None:
        check_installed("obstore", **_EXTRA)
        keys = {option: secrets.get(address.variable(what)) for what, option in _SECRETS.items()}
        if bool(keys["access_key_id"]) != bool(keys["secret_access_key"]):
            raise FixSettings(
                f"The sink {address.name!r} has one half of its keys.",
                advice=f"Set {address.variable('ACCESS_KEY_ID')} and {address.variable('SECRET_ACCESS_KEY')}.",
            )
        self._address = address
        self._options = {option: value for option, value in keys.items() if value}
        self._timeout = timedelta(seconds=timeout)
        self._proxy = proxy
        self._store: Any = None

    def send(self, events: Sequence[Event]) -> Answer:
        """Put one object, and one with the end of the run where that is among the events (see `Sink.send`)."""
        failures = needed("obstore.exceptions", **_EXTRA)
        folder = "/".join(filter(None, (self._address.path, events[0].run)))
        try:
            self._put(f"{folder}/events/{events[0].n:08}-{_end(events[-1])}.jsonl", [event.line for event in events])
            for event in events:
                if event.name == "run.finished":
                    self._put(f"{folder}/summary/{_end(event)}.json", [event.line])
        except _any_of(failures) as error:
            return _later(error, failures)
        return Acknowledged(events[-1].n)

    def probe(self) -> Reached | Later:
        """Ask for an object that is not there (see `Sink.probe`): the answer tells what is wrong, if anything is."""
        library, failures = needed("obstore", **_EXTRA), needed("obstore.exceptions", **_EXTRA)
        self._store = self._store or self._opened()
        try:
            library.get(self._store, "/".join(filter(None, (self._address.path, "dialfeed-was-here"))))
        except _any_of(failures) as error:
            said = str(error)
            if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in said:
                return Reached("the keys are accepted; whether they may write shows with the first event")
            if isinstance(error, failures.PermissionDeniedError) and "AccessDenied" in said:
                return Reached(
                    "the keys are known, and may not read; whether they may write shows with the first event"
                )
            return _later(error, failures)
        finally:
            self.close()
        return Reached("the keys are accepted; whether they may write shows with the first event")

    def close(self) -> None:
        """Let the connections go."""
        self._store = None

    def _put(self, name: str, lines: Sequence[bytes]) -> None:
        """Make an object, unless it is there; a storage that cannot tell gets the same content again."""
        if self._store is None:
            self._store = self._opened()
        library, failures = needed("obstore", **_EXTRA), needed("obstore.exceptions", **_EXTRA)
        content = b"".join(line + b"\n" for line in lines)
        told = {"attributes": {"Content-Type": "application/x-ndjson"}, "use_multipart": False}
        try:
            library.put(self._store, name, content, mode="create", **told)
        except failures.AlreadyExistsError:
            return
        except failures.NotSupportedError:
            library.put(self._store, name, content, **told)

    def _opened(self) -> Any:
        endpoint = self._address.options.get("endpoint")
        client: dict[str, Any] = {"timeout": self._timeout, "connect_timeout": self._timeout}
        if endpoint and urlsplit(endpoint).scheme == "http":
            client["allow_http"] = True  # on this machine only, see `addresses`
        elif self._proxy:
            client["proxy_url"] = self._proxy
        where = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
        return needed("obstore.store", **_EXTRA).S3Store(
            self._address.host,
            region=self._address.options.get("region", "us-east-1"),
            client_options=client,
            retry_config={"max_retries": 0, "retry_timeout": self._timeout},
            **where,
            **self._options,
        )


def _any_of(failures: Any) -> tuple[type[Exception], ...]:
    """What the library raises; where something is not there, that is an exception of Python."""
    return failures.BaseError, FileNotFoundError


def _later(error: Exception, failures: Any) -> Later:
    """A failure of the storage in our words; its own may hold names and keys."""
    if isinstance(error, failures.PermissionDeniedError | failures.UnauthenticatedError):
        return Later("the storage refuses the sign-in or the right")
    if isinstance(error, FileNotFoundError):
        return Later("there is no such bucket")
    return Later(f"the storage cannot be reached, or cannot take it now ({type(error).__name__})")


def _end(event: Event) -> str:
    return f"{event.n:08}-{event.hash[:16]}"
