"""Roles: fields that the mapper does something with, as with versions, counters and times."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from pydantic.fields import FieldInfo

from logicaldb.annotations import Counter, CreatedAt, TimeToLive, UpdatedAt, Version
from logicaldb.codec.keys import ABSENT
from logicaldb.errors import DeclarationError

Role: TypeAlias = Version | Counter | CreatedAt | UpdatedAt | TimeToLive


def role_of(where: str, info: FieldInfo, bare: Any, default: Any, *, nullable: bool) -> Role | None:
    """The role of a field, ``None`` where it has none.

    Args:
        where: the field as messages name it.
        info: pydantic's description.
        bare: its type, without ``None``.
        default: its default, else ``ABSENT``.
        nullable: whether it may be ``None``.

    Raises:
        DeclarationError: it has several, or its type does not fit.
    """
    roles = [marker for marker in info.metadata if isinstance(marker, Role)]
    if not roles:
        return None
    if len(roles) > 1:
        marked = " and ".join(f"{type(marker).__name__}()" for marker in roles)
        raise DeclarationError(f"{where}: is marked {marked}; a field has one of them")
    role: Role = roles[0]
    match role:
        case Version():
            if bare is not int or nullable or default is ABSENT or default != 0:
                raise DeclarationError(f"{where}: a version is an int with default 0: Annotated[int, Version()] = 0")
        case Counter():
            _check_counter(where, role, bare, nullable=nullable)
        case TimeToLive():
            if bare not in (int, datetime):
                raise DeclarationError(f"{where}: a time to live is a datetime, or an int of epoch seconds")
        case _:
            if bare is not datetime:
                kind = type(role).__name__
                raise DeclarationError(
                    f"{where}: {kind} is a time that the mapper sets: Annotated[datetime | None, {kind}()] = None"
                )
    return role


def _check_counter(where: str, counter: Counter, bare: Any, *, nullable: bool) -> None:
    if bare not in (int, Decimal) or nullable:
        raise DeclarationError(f"{where}: a counter is an int or a Decimal: Annotated[int, Counter()] = 0")
    low, high, initial = counter.minimum, counter.maximum, counter.initial
    if bare is int and any(number is not None and not isinstance(number, int) for number in (initial, low, high)):
        raise DeclarationError(f"{where}: the bounds and the initial value of an int counter must be ints")
    if (low is not None and initial < low) or (high is not None and initial > high):
        raise DeclarationError(
            f"{where}: the initial value {initial} is outside the bounds minimum={low}, maximum={high}; "
            "give Counter(...) an initial value inside them"
        )
