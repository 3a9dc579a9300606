"""What went wrong, told once for the pages and the JSON API. What is not here is a mistake in the program: 500."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from examples.music.models import AlbumTrack, PlaylistInfo
from examples.music.web.api import Playlist
from examples.music.web.rendering import render
from logicaldb import (
    AmbiguousWrite,
    BatchIncomplete,
    ConditionFailed,
    EncodingError,
    InvalidCursor,
    ItemKey,
    ItemNotFound,
    LimitExceeded,
    ThroughputExceeded,
    TransactionCanceled,
    VersionConflict,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A status code, and a sentence for people."""

    status: HTTPStatus
    text: str


BUSY = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "There is too much to do at the moment. Try again.")


def _not_found(key: ItemKey[Any]) -> Problem:
    match key:
        case AlbumTrack.Key():
            what = f"track {key.track_number} of {key.album_token}"
        case PlaylistInfo.Key():
            what = f"playlist {key.playlist_token}"
        case _:
            what = "such album"
    return Problem(HTTPStatus.NOT_FOUND, f"There is no {what}.")


def _canceled(error: TransactionCanceled) -> Problem:
    """Tell of the first condition that failed (here they ask what exists); without one, others were in the way."""
    refused = (failure for failure in error.failures if isinstance(failure.error, ConditionFailed))
    return next((_not_found(failure.operation.key) for failure in refused), BUSY)


def _refused(error: EncodingError | LimitExceeded) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, f"DynamoDB cannot take this: {error}.")


def _failed(error: ClientError | BotoCoreError) -> Problem:
    if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
        text = "There is no such table. The command python -m examples.music import makes it."
    else:
        text = "DynamoDB cannot be reached, or refuses this."
    return Problem(HTTPStatus.BAD_GATEWAY, text)


def _invalid(error: RequestValidationError) -> Problem:
    faults: list[Any] = list(error.errors())
    if any(fault["loc"][0] == "path" for fault in faults):
        return Problem(HTTPStatus.NOT_FOUND, "There is no such page.")
    text = "; ".join(f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in faults)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{text}.")


PROBLEMS: dict[type[Exception], Callable[[Any], Problem]] = {
    VersionConflict: lambda _: Problem(HTTPStatus.CONFLICT, "Somebody else has changed this meanwhile."),
    ItemNotFound: lambda error: _not_found(error.key),
    InvalidCursor: lambda _: Problem(HTTPStatus.BAD_REQUEST, "The cursor is damaged, or of another list."),
    TransactionCanceled: _canceled,
    ThroughputExceeded: lambda _: BUSY,
    BatchIncomplete: lambda _: BUSY,
    AmbiguousWrite: lambda _: Problem(
        HTTPStatus.BAD_GATEWAY, "It cannot be told whether this was stored. Look before you try again."
    ),
    EncodingError: _refused,
    LimitExceeded: _refused,
    ClientError: _failed,
    BotoCoreError: _failed,
    RequestValidationError: _invalid,
    HTTPException: lambda error: Problem(HTTPStatus(error.status_code), error.detail),
}


async def answer(request: Request, error: Exception) -> Response:
    """Answer a request that failed, as JSON or as a page."""
    problem = next(PROBLEMS[kind](error) for kind in type(error).__mro__ if kind in PROBLEMS)
    headers = dict(getattr(error, "headers", None) or {})
    if problem is BUSY:
        headers["retry-after"] = "1"
    if request.url.path.startswith("/api/"):
        content: dict[str, Any] = {"detail": problem.text}
        if isinstance(error, VersionConflict):
            content["playlist"] = None if error.item is None else Playlist.of(error.item).model_dump()
        return JSONResponse(content, problem.status, headers)
    return render(request, "error.html", status=problem.status, headers=headers, problem=problem)


def register(app: FastAPI) -> None:
    """Let ``answer`` handle what the routes raise."""
    for kind in PROBLEMS:
        app.add_exception_handler(kind, answer)
