"""A moving window over a stream of bytes: as small as a record allows, and never larger than a record may be."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from dialfeed.sources.encodings import UndecodableError
from dialfeed.sources.records import last_line_end


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of text that begins at the start of a record.

    Attributes:
        text: Whole physical lines; at the end of the stream the last line may lack its line end.
        at_end: Nothing follows.
        following: How many bytes of the next line are already known, if it has no end yet.
        first_only: Asked for is the first record alone, because it needs more text than a window usually has.
    """

    text: bytes
    at_end: bool
    following: int = 0
    first_only: bool = False


class Windows(Iterator[Window]):
    """Hand out windows over a stream of blocks; whoever takes one says with `consume` how much of it is done.

    A window that is not consumed at all comes back with all text there is, and then only its first record is asked
    for. Where a line ends is all that is known here; a line without an end that is longer than the limit loses its
    middle, so that it stays too long and takes no more memory.

    Args:
        blocks: The stream.
        step: The size of a window in bytes, where its first record does not need more.
        limit: The largest record in bytes.

    Raises:
        UndecodableError: Passed on from `blocks`, after all windows that can be decided were handed out.
    """

    def __init__(self, blocks: Iterator[bytes], *, step: int, limit: int) -> None:
        self._step = step
        self._limit = limit
        self._pending = b""
        self._wanted = 0
        self._consumed = 0
        self._windows = self._over(blocks)

    def __next__(self) -> Window:
        return next(self._windows)

    def consume(self, count: int) -> None:
        """Say that the first `count` bytes of the latest window are done."""
        self._consumed = count

    def _over(self, blocks: Iterator[bytes]) -> Generator[Window]:
        try:
            for block in blocks:
                self._pending += block
                if len(self._pending) >= self._wanted:
                    yield from self._hand_out(at_end=False)
        except UndecodableError:
            yield from self._hand_out(at_end=False)
            raise
        yield from self._hand_out(at_end=True)

    def _hand_out(self, *, at_end: bool) -> Generator[Window]:
        """Hand out windows over what is pending until nothing more can be decided."""
        while self._pending:
            self._consumed = 0
            yield from self._window(self._pending[: self._step], at_end=at_end)
            if not self._consumed:
                yield from self._window(self._pending, at_end=at_end, first_only=True)
            if not self._consumed:
                self._shorten()
                break
            self._pending = self._pending[self._consumed :]
        # A record that grows is looked at again when it has doubled, or when it is known to be too large.
        self._wanted = min(2 * len(self._pending), self._limit + 3)

    def _window(self, text: bytes, *, at_end: bool, first_only: bool = False) -> Generator[Window]:
        """A window over the beginning of what is pending, if it has a whole line."""
        everything = len(text) == len(self._pending)
        last = at_end and everything
        whole = text if last else text[: last_line_end(text)]
        if whole:
            following = len(text) - len(whole) if everything else 0
            yield Window(whole, at_end=last, following=following, first_only=first_only)

    def _shorten(self) -> None:
        """Take the middle out of a line that is already too long; keep a carriage return that may be its end."""
        pending = self._pending
        if len(pending) > self._limit + 2 and not last_line_end(pending):
            self._pending = pending[: self._limit + 1] + (b"\r" if pending.endswith(b"\r") else b"")
