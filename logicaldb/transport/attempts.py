"""How many attempts a request took, for those who watch requests."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Attempts:
    """The attempts of one request.

    Attributes:
        number: how many were made.
    """

    number: int = 0


attempts: Final[ContextVar[Attempts | None]] = ContextVar("logicaldb_attempts", default=None)
"""Those of the request that is under way, where somebody watches."""


def count_attempts(number: int) -> None:
    """Tell how many attempts the request that is under way has taken so far."""
    counted = attempts.get()
    if counted is not None:
        counted.number = number
