from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logicaldb.transport.http1 import MAX_HEAD, Answer, AnswerReader, BadAnswer, head_of


def read(*pieces: bytes) -> Answer | None:
    """What a reader makes of pieces; every piece but the last leaves it without the answer."""
    reader = AnswerReader()
    for piece in pieces[:-1]:
        assert reader.feed(piece) is None
    return reader.feed(pieces[-1])


def whole(data: bytes) -> Answer:
    answer = read(data)
    assert answer is not None
    return answer


def cut(data: bytes, places: set[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[begin:end] for begin, end in pairwise(edges)]


def plain(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head + body + b"0\r\n" + trailers + b"\r\n"


def test_an_answer_in_one_piece() -> None:
    answer = whole(
        b"HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type:application/x-amz-json-1.0\r\n"
        b"x-amzn-RequestId:  A B \r\nVia: 1\r\nvia: 2\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert answer == Answer(
        200,
        {
            "server": "Server",
            "content-type": "application/x-amz-json-1.0",
            "x-amzn-requestid": "A B",
            "via": "1, 2",
            "content-length": "2",
        },
        b"{}",
        keep_alive=True,
    )


@given(body=st.binary(max_size=40), places=st.sets(st.integers(0, 200)))
def test_an_answer_in_any_pieces(body: bytes, places: set[int]) -> None:
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + plain(body)
    assert read(*cut(data, places)) == whole(plain(body))


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=20), max_size=4),
    trailers=st.sampled_from([b"", b"a: b\r\n", b"a: b\r\nc: d\r\n"]),
    places=st.sets(st.integers(0, 200)),
)
def test_an_answer_in_chunks_in_any_pieces(chunks: list[bytes], trailers: bytes, places: set[int]) -> None:
    answer = read(*cut(chunked(*chunks, trailers=trailers), places))
    assert answer == Answer(200, {"transfer-encoding": "chunked"}, b"".join(chunks), keep_alive=True)


def test_a_chunk_may_be_described() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    assert whole(head + b"2;a=b\r\n{}\r\n000\r\n\r\n").body == b"{}"


@pytest.mark.parametrize(
    ("line", "headers", "expected"),
    [
        (b"HTTP/1.1 200 OK", b"", True),
        (b"HTTP/1.1 200", b"", True),
        (b"HTTP/1.1 200 OK", b"Connection: Keep-Alive\r\n", True),
        (b"HTTP/1.1 200 OK", b"Connection: Close\r\n", False),
        (b"HTTP/1.0 200 OK", b"", False),
        (b"HTTP/1.0 200 OK", b"Connection: keep-alive\r\n", True),
    ],
)
def test_whether_the_connection_is_kept(line: bytes, headers: bytes, expected: bool) -> None:
    assert whole(line + b"\r\n" + headers + b"Content-Length: 0\r\n\r\n").keep_alive is expected


@pytest.mark.parametrize("data", [plain(b"{}"), chunked(b"{}"), chunked(b"{}", trailers=b"a: b\r\n")])
def test_a_connection_that_says_more_than_it_was_asked_is_not_kept(data: bytes) -> None:
    answer = whole(data + b"HTTP/1.1 200 OK\r\n\r\n")
    assert (answer.body, answer.keep_alive) == (b"{}", False)


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    reader = AnswerReader()
    for piece in (b"HTTP/1.1 200 OK\r\n\r\n{", b"}"):
        assert reader.feed(piece) is None
    assert reader.end() == Answer(200, {}, b"{}", keep_alive=False)


def test_an_answer_that_has_no_body() -> None:
    assert whole(b"HTTP/1.1 204 No Content\r\n\r\n") == Answer(204, {}, b"", keep_alive=True)


@pytest.mark.parametrize("data", [plain(b"{}"), chunked(b"{}", trailers=b"a: b\r\n"), b"HTTP/1.1 100 x\r\n\r\n"])
def test_an_answer_that_is_cut_is_told(data: bytes) -> None:
    for length in range(len(data)):
        reader = AnswerReader()
        if length:
            assert reader.feed(data[:length]) is None
        assert reader.begun is (length > 0)
        with pytest.raises(BadAnswer) as raised:
            reader.end()
        assert str(raised.value) == "the connection was closed before the answer was whole"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the answer is not one of HTTP/1.1"),
        (b"HTTP/2 200\r\n\r\n", "the answer is not one of HTTP/1.1"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "the answer is not one of HTTP/1.1"),
        ("HTTP/1.1 2\u00b20 OK\r\n\r\n".encode("latin-1"), "the answer is not one of HTTP/1.1"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "the answer is not one of HTTP/1.1"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "the answer speaks another protocol"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "a header of the answer is none"),
        (b"HTTP/1.1 200 OK\r\n: x\r\n\r\n", "a header of the answer is none"),
        (b"HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", "a header of the answer is none"),
        (b"HTTP/1.1 200 OK\r\na : b\r\n\r\n", "a header of the answer is none"),
        (b"HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n", "a header of the answer is none"),
        (b"HTTP/1.1 200 OK\r\na: b\rc: d\r\n\r\n", "a header of the answer is none"),
        (plain(b"{}", b"Content-Encoding: gzip"), "the body of the answer is encoded, which was not asked for"),
        (plain(b"{}", b"Content-Length: 3"), "the length of the answer is no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "the length of the answer is no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n", "the length of the answer is no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n", "the length of the answer is no number"),
        (
            plain(b"{}", b"Transfer-Encoding: chunked"),
            "the length of the answer is told in a way that was not expected",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "the length of the answer is told in a way that was not expected",
        ),
        (chunked().replace(b"0\r\n", b"x\r\n"), "the length of a chunk of the answer is no number"),
        (chunked().replace(b"0\r\n", b"\r\n"), "the length of a chunk of the answer is no number"),
        (chunked(b"{}").replace(b"{}", b"{}x"), "a chunk of the answer is longer than it says"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadAnswer) as raised:
        AnswerReader().feed(data)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (b"HTTP/1.1 200 OK\r\na: ", "the head of the answer is too long"),
        (chunked()[:-4] + b"1;", "a line of the answer is too long"),
        (chunked()[:-2] + b"a:", "a line of the answer is too long"),
    ],
)
def test_heads_have_bounds(begin: bytes, message: str) -> None:
    reader = AnswerReader()

    def feed() -> None:
        assert reader.feed(begin) is None
        for _ in range(MAX_HEAD // 1000 + 2):
            assert reader.feed(b"x" * 1000) is None

    with pytest.raises(BadAnswer) as raised:
        feed()
    assert str(raised.value) == message
    with pytest.raises(BadAnswer, match="too long"):
        AnswerReader().feed(b"HTTP/1.1 200 OK\r\na: " + b"x" * MAX_HEAD + b"\r\n\r\n")


@given(data=st.binary(max_size=60))
@example(b"HTTP/1.1 200 OK\r\n\r\n")
def test_whatever_comes_is_an_answer_or_none(data: bytes) -> None:
    reader = AnswerReader()
    try:
        reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
        reader.end()
    except BadAnswer:
        return


def test_a_head() -> None:
    headers = [("Host", "localhost:8000"), ("X-Amz-Target", "DynamoDB_20120810.GetItem"), ("Ü"[:0] + "x-name", "ü\t1")]
    assert head_of("/", headers) == (
        b"POST / HTTP/1.1\r\nHost: localhost:8000\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\nx-name: \xc3\xbc\t1\r\n"
    )


@pytest.mark.parametrize(
    "header", [("a b", "c"), ("", "c"), ("a:", "c"), ("ä", "c"), ("a", "b\r\nc: d"), ("a", "b\nc"), ("a", "b\x00")]
)
def test_no_header_smuggles_another(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be sent") as raised:
        head_of("/", [header])
    assert str(raised.value) == f"the header {header[0]!r} cannot be sent"
