"""Whether a list's count agrees with what was delivered. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counted:
    """A list's count, and everything that explains it.

    Attributes:
        before: Contacts on the list before the run; None where the platform did not tell.
        after: Contacts on it now; None where it does not tell.
        delivered: Contacts that the run delivered.
        unknown: Contacts of it that may be on the list.
        later: Contacts that later runs delivered.
        perhaps: Contacts that later or overlapping runs may have put there.
    """

    before: int | None
    after: int | None
    delivered: int
    unknown: int = 0
    later: int = 0
    perhaps: int = 0

    @property
    def least(self) -> int:
        """The smallest count that can be explained; a `before` that is not known counts as 0."""
        return (self.before or 0) + self.delivered + self.later

    @property
    def others(self) -> int:
        """Contacts on the list that others may have put there: before the run, and after it."""
        return (self.before or 0) + self.later + self.perhaps

    @property
    def difference(self) -> int | None:
        """Contacts more than can be explained, or, below 0, fewer; 0 where they agree, None where nobody can say."""
        if self.before is None or self.after is None:
            return None
        return max(0, self.after - self.least - self.unknown - self.perhaps) + min(0, self.after - self.least)
