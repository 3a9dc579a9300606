"""What went wrong, told once for the pages and the JSON API."""

from __future__ import annotations

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
    LogicalDbError,
    ThroughputExceeded,
    TransactionCanceled,
    VersionConflict,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A status code, and a sentence for people."""

    status: HTTPStatus
    text: str


def problem_of(error: Exception) -> Problem | None:
    """What to answer; ``None`` where the mistake is in the program."""
    match error:
        case VersionConflict():
            return Problem(HTTPStatus.CONFLICT, "Somebody else has changed this meanwhile.")
        case ItemNotFound():
            return Problem(HTTPStatus.NOT_FOUND, f"There is no {_name(error.key)}.")
        case InvalidCursor():
            return Problem(HTTPStatus.BAD_REQUEST, "The cursor is damaged, or of another list.")
        case TransactionCanceled():
            # The conditions here ask whether something exists; without one that failed, others were in the way.
            for failure in error.failures:
                if isinstance(failure.error, ConditionFailed):
                    return Problem(HTTPStatus.NOT_FOUND, f"There is no {_name(failure.operation.key)}.")
            return _busy()
        case EncodingError() | LimitExceeded():
            return Problem(HTTPStatus.BAD_REQUEST, f"DynamoDB cannot take this: {error}.")
        case ThroughputExceeded() | BatchIncomplete():
            return _busy()
        case AmbiguousWrite():
            return Problem(
                HTTPStatus.BAD_GATEWAY, "It cannot be told whether this was stored. Look before you try again."
            )
        case ClientError() if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "There is no such table: python -m examples.music import …")
        case ClientError() | BotoCoreError():
            return Problem(HTTPStatus.BAD_GATEWAY, "DynamoDB cannot be reached, or refuses this.")
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return Problem(HTTPStatus(error.status_code), str(error.detail))
        case _:
            return None


def _busy() -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "There is too much to do at the moment. Try again.")


def _invalid(error: RequestValidationError) -> Problem:
    faults: list[Any] = list(error.errors())
    if any(fault["loc"][0] == "path" for fault in faults):
        return Problem(HTTPStatus.NOT_FOUND, "There is no such page.")
    text = "; ".join(f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in faults)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{text}.")


def _name(key: ItemKey[Any]) -> str:
    match key:
        case AlbumTrack.Key():
            return f"track {key.track_number} of {key.album_token}"
        case PlaylistInfo.Key():
            return f"playlist {key.playlist_token}"
        case _:
            return "such album"


async def answer(request: Request, error: Exception) -> Response:
    """Answer a request that failed, as JSON or as a page."""
    problem = problem_of(error)
    if problem is None:
        raise error
    headers = dict(getattr(error, "headers", None) or {})
    if problem.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "1"
    if request.url.path.startswith("/api/"):
        content: dict[str, Any] = {"detail": problem.text}
        if isinstance(error, VersionConflict):
            content["playlist"] = None if error.item is None else Playlist.of(error.item).model_dump()
        return JSONResponse(content, problem.status, headers)
    return render(request, "error.html", status=problem.status, headers=headers, problem=problem)


def register(app: FastAPI) -> None:
    """Let ``answer`` handle what the routes raise."""
    for kind in (LogicalDbError, ClientError, BotoCoreError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)
