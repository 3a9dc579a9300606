"""The updates that a writing pager has left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import overload

from typing_extensions import TypeVar

from logicaldb.errors import LogicalDbError

U = TypeVar("U")


class Remaining(Sequence[U]):
    """Updates that are left, in order. Those of an iterable of unknown length are drawn as they are needed.

    Args:
        updates: the updates.
        ahead: how many are drawn, as far as there are so many.
    """

    def __init__(self, updates: Iterable[U], ahead: int) -> None:
        self._ahead = ahead
        self._rest: Iterator[U] | None = None
        self._failure: BaseException | None = None
        known: list[U] = []
        if isinstance(updates, Collection):
            known += updates
        else:
            self._rest = iter(updates)
        self._window = (0, known)  # the place of the first that is known, and those that are
        self.dropped = 0
        """How many are gone: the place of the first that is left."""

    def draw(self) -> None:
        """Draw the next updates. What the iterable raises waits until those before are gone; see ``check_end``."""
        if self._rest is None:
            return
        known = self._window[1]
        following = islice(self._rest, max(0, self._ahead - len(self)))
        try:
            known.extend(following)  # what comes before an exception is in the list then
        except BaseException as error:
            interrupted = not isinstance(error, Exception)
            traceback = error.__traceback__
            if not interrupted or (
                traceback is not None and traceback.tb_next is not None
            ):  # it came from the iterable
                self._rest = None  # a generator that raised would say from now on that it has ended
                self._failure = error
            if interrupted:
                raise

    def check_end(self) -> None:
        """Raise what the iterable raised, if it did.

        Raises:
            LogicalDbError: it was interrupted.
            Exception: what it raised.
        """
        if isinstance(self._failure, Exception):
            raise self._failure
        if self._failure is not None:
            raise LogicalDbError(
                "updates: the iterable was interrupted, and may have had more; make another pager for the rest"
            ) from self._failure

    def drop_to(self, place: int) -> bool:
        """Take away the updates before a place, and draw the next; tell whether there are so many."""
        while self.dropped < place:
            if not len(self):
                self.draw()
            end = min(place, self.dropped + len(self))
            if end == self.dropped:
                return False
            self.dropped = end  # first: an interrupt between the two leaves too many in memory, and no other harm
            if self._rest is not None:  # a collection is in memory anyway
                first, known = self._window
                self._window = (end, known[end - first :])
        self.draw()
        return True

    def __len__(self) -> int:
        first, known = self._window
        return first + len(known) - self.dropped

    @overload
    def __getitem__(self, index: int) -> U: ...
    @overload
    def __getitem__(self, index: slice) -> list[U]: ...
    def __getitem__(self, index: int | slice) -> U | list[U]:
        first, known = self._window
        places = range(self.dropped - first, len(known))[index]
        return known[places] if isinstance(places, int) else [known[place] for place in places]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - it changes

    def __repr__(self) -> str:
        return f"{len(self)} remaining updates, after {self.dropped}"
