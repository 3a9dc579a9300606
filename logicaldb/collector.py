"""The garbage collector, which waits while a large answer is read.

What is read holds no cycles, and to look for some over and over while it grows takes as long as to read it.
"""

from __future__ import annotations

import gc
import os
from collections import deque
from types import TracebackType
from typing import Final

_PATIENCE: Final = 100_000
"""How many objects more than before there have to be before the collector looks at the young ones."""


class PatientCollector:
    """A block in which the collector is patient; any number of threads may be in one at once.

    It is neither turned off nor on, so that whoever does that is not disturbed, and whatever goes wrong it still collects.
    """

    __slots__ = ("_inside", "_process", "_usual")

    def __init__(self) -> None:
        self._inside: deque[None] = deque()
        self._usual: tuple[int, int, int] | None = None  # what is to be again afterwards
        self._process = os.getpid()

    def __enter__(self) -> None:
        if self._process != os.getpid():  # forked: the threads that were inside are not here
            self._process = os.getpid()
            self._inside.clear()
        self._inside.append(None)
        found = gc.get_threshold()
        if 0 < found[0] < _PATIENCE:  # 0: it does not collect by itself
            self._usual = found
            gc.set_threshold(_PATIENCE, *found[1:])

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._inside:  # a fork inside of the block may have cleared it
            self._inside.pop()
        usual = self._usual
        if usual is None or self._inside:
            return
        self._usual = None
        if gc.get_threshold()[0] == _PATIENCE:  # else somebody has set it meanwhile
            gc.set_threshold(*usual)
