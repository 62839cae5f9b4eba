"""Work on the next item while the caller works on this one."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Final, TypeVar

Item = TypeVar("Item")


class _End:
    """What stands for the end of an iterator."""


_END: Final = _End()


def read_ahead(items: Generator[Item]) -> Generator[Item]:
    """Pass on the items of a generator, which makes the next one in a thread of its own in the meantime.

    The thread is started with the first item asked for. It is gone, and the generator closed, when the last
    item was passed on, when the generator fails, and when the caller stops early.

    Args:
        items: A generator that nobody else uses.

    Yields:
        The items, in order. At most one item is held besides the one passed on.

    Raises:
        Exception: Whatever the generator raises, in place of the item that it failed to make.
    """
    with closing(items), ThreadPoolExecutor(max_workers=1, thread_name_prefix="dialfeed-source") as thread:
        coming: Future[Item | _End] = thread.submit(next, items, _END)
        while not isinstance(item := coming.result(), _End):
            coming = thread.submit(next, items, _END)
            yield item
