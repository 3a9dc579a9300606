"""Idempotency tokens of transactions, as DynamoDB keeps them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import takewhile
from time import monotonic
from typing import Any, Final

TOKEN_SECONDS: Final = 10 * 60
"""How long the service knows a token:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""
_UNORDERED: Final = {"SS", "BS"}
"""Not ``NS``: to DynamoDB Local, numbers of a set in another order are another set here."""


class TokenMismatch(Exception):
    """The token was used with other actions."""


@dataclass(frozen=True, slots=True)
class _Written:
    actions: Any
    answer: Any
    until: float


class IdempotencyTokens:
    """What was written under which token, as long as the service knows the token.

    It is for one thread at a time.
    """

    def __init__(self) -> None:
        self._written: dict[Hashable, _Written] = {}  # the oldest first, which is the first to be forgotten

    def once(self, token: Hashable, actions: Any, write: Callable[[], Any]) -> Any:
        """Write, unless that was done under the same token.

        Args:
            token: the token, with all that it is limited to.
            actions: the actions of the transaction, as parsed from JSON.
            write: writes them and gives the answer; while it fails, the token is free.

        Returns:
            The answer, or that of the first time.

        Raises:
            TokenMismatch: the token was used with other actions.
        """
        self._forget()
        actions = _comparable(actions)
        written = self._written.get(token)
        if written is None:
            answer = write()
            written = self._written[token] = _Written(actions, answer, monotonic() + TOKEN_SECONDS)
        elif written.actions != actions:
            raise TokenMismatch
        return written.answer

    def _forget(self) -> None:
        now = monotonic()
        for token in [*takewhile(lambda token: self._written[token].until <= now, self._written)]:
            del self._written[token]


def _comparable(value: Any) -> Any:
    """A copy that equals those of the same actions, whatever the order of their sets and objects."""
    if isinstance(value, dict):
        return {
            # An attribute may have the name of a type too; then what it holds is an object.
            name: sorted(held) if name in _UNORDERED and isinstance(held, list) else _comparable(held)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [_comparable(held) for held in value]
    return value
