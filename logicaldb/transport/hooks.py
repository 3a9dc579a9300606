"""What listens to botocore's ``before-send`` sees requests that botocore does not send, too, and may answer them."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any
from urllib.parse import urlsplit

from logicaldb.transport.http1 import Answer, head_of


def offer(events: Any, operation: str, url: str, request: bytes, body: bytes) -> Answer | bytes:
    """Emit ``before-send``, as botocore does with each attempt.

    Args:
        events: the events of the client.
        operation: the name of the API operation.
        url: where the request goes.
        request: the whole of it, signed.
        body: its body.

    Returns:
        The answer of a handler, or the request as it is to be sent: the same, unless a handler changed it.

    Raises:
        ValueError: a handler sends it elsewhere.
        Exception: whatever a handler raises.
    """
    outgoing = _outgoing_type()(url, request, body)
    for _, response in events.emit(f"before-send.dynamodb.{operation}", request=outgoing):
        if response is not None:
            return _answer(response)
    if not outgoing.seen:
        return request
    changed: bytes = outgoing.as_sent()
    return changed


def _answer(response: Any) -> Answer:
    headers = {name.lower(): _text(value, "latin-1") for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content, keep_alive=True)


def _text(value: Any, encoding: str = "utf-8") -> str:
    return value.decode(encoding) if isinstance(value, bytes) else str(value)


@cache
def _outgoing_type() -> Any:
    # Here and not at the top, because `import logicaldb` must not cost the import of botocore.
    from botocore.awsrequest import AWSPreparedRequest, HeadersDict  # noqa: PLC0415

    class Outgoing(AWSPreparedRequest):
        """A request as botocore shows it; its headers are read from its bytes when somebody looks at them."""

        def __init__(self, url: str, request: bytes, body: bytes) -> None:
            self._shown = (url, request, body)
            self.method = "POST"
            self.url = url
            self.body = body
            self.stream_output = False
            self.context: dict[str, Any] = {}

        @cached_property
        def headers(self) -> HeadersDict:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
            return HeadersDict(self._pairs())

        def _pairs(self) -> list[tuple[str, bytes | str]]:
            head = self._shown[1].partition(b"\r\n\r\n")[0]
            lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
            # As botocore has them: texts are encoded, but for what is added last, and HTTP adds the host.
            return [
                (name.decode(), value.decode() if name == b"Content-Length" else value)
                for name, _, value in lines
                if name != b"Host"
            ]

        @property
        def seen(self) -> bool:
            """Whether somebody may have changed something."""
            url, _, body = self._shown
            return "headers" in vars(self) or self.url != url or self.body is not body

        def as_sent(self) -> bytes:
            """The bytes, with what was changed."""
            url, request, _ = self._shown
            shown_body: Any = self.body
            body: bytes = shown_body.encode() if isinstance(shown_body, str) else shown_body
            self.headers["Content-Length"] = str(len(body))
            pairs = list(self.headers.items())
            place, shown = urlsplit(self.url), urlsplit(url)
            if (place.scheme, place.netloc) != (shown.scheme, shown.netloc):
                raise ValueError(f"a handler of before-send sends the request to {place.netloc}, not {shown.netloc}")
            if pairs == self._pairs() and (self.url, body) == (url, self._shown[2]):
                return request
            path = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
            return (
                head_of(path, [("Host", place.netloc), *((name, _text(value)) for name, value in pairs)])
                + b"\r\n"
                + body
            )

    return Outgoing
