"""Requests and answers as botocore shows them to those who listen to its events, made when somebody looks."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from logicaldb.transport.http1 import Answer


def unsigned(request: dict[str, Any]) -> Any:
    """Give a request as ``before-sign`` shows it: an ``AWSRequest`` that knows whether somebody looked (``is_seen``).

    Args:
        request: the request as botocore made it of a call.
    """
    return _unsigned_type()(request)


def received(url: str, answer: Answer) -> Any:
    """Give an answer as ``after-call`` shows it: an ``AWSResponse``.

    Args:
        url: where the request went.
        answer: the answer.
    """
    return _response_type()(url, answer)


@cache
def _unsigned_type() -> Any:
    # Here and not at the top, because `import logicaldb` must not cost the import of botocore.
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    class Unsigned(AWSRequest):
        def __init__(self, request: dict[str, Any]) -> None:
            self._request = request
            self._is_filled = False
            super().__init__("POST", request["url"], None, request["body"])
            self.context = request["context"]

        @property
        def headers(self) -> Any:
            if not self._is_filled:
                self._is_filled = True
                for name, value in self._request["headers"].items():
                    self._headers[name] = value
            return self._headers

        @headers.setter
        def headers(self, headers: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
            self._headers = headers

        @property
        def is_seen(self) -> bool:
            return self._is_filled or self.is_another

        @property
        def is_another(self) -> bool:
            """Whether more was changed than headers."""
            shown = self._request
            found = (self.method, self.url, self.data, self.params)
            return found != ("POST", shown["url"], shown["body"], {})

    return Unsigned


@cache
def _response_type() -> Any:
    # Here and not at the top, because `import logicaldb` must not cost the import of botocore.
    from botocore.awsrequest import AWSResponse, HeadersDict  # noqa: PLC0415

    class Response(AWSResponse):
        def __init__(self, url: str, answer: Answer) -> None:
            self._answer = answer
            self.url = url
            self.status_code = answer.status
            self.raw = None

        @cached_property
        def headers(self) -> HeadersDict:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
            return HeadersDict(self._answer.headers)

        @property
        def content(self) -> bytes:
            return self._answer.body

    return Response
