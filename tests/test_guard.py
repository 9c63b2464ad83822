"""The guard, driven as plain ASGI: who passes, who gets what answer, which headers all carry."""

import asyncio
import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.guard import Guard, content_security_policy, security_headers

PORT = 8640
TOKEN = "t" * 43
HOST = f"127.0.0.1:{PORT}"
COOKIE = f"darkgnn-{PORT}={TOKEN}"
INDEX = "<head><script>window.x = 1</script><script type='module' src='a.js'></script></head>"
POLICY = content_security_policy(INDEX)


class Inner:
    """An app that notes whether it was reached and answers 200."""

    def __init__(self, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.reached = False
        self.headers = headers or []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        self.reached = True
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"inside"})


def ask(
    *,
    kind: str = "http",
    method: str = "GET",
    path: str = "/",
    query: str = "",
    headers: dict[str, str] | list[tuple[bytes, bytes]] | None = None,
    peer: str = "127.0.0.1",
    app: Any = None,
    denial: bool = True,
) -> tuple[Any, list[dict[str, Any]]]:
    """Send one request through a guard; return the app behind it and what was sent back."""
    inner = app or Inner()
    guard = Guard(inner, token=TOKEN, upload_bytes=64 << 20, policy=POLICY)
    if isinstance(headers, dict) or headers is None:
        named = {"host": HOST, "cookie": COOKIE} | (headers or {})
        pairs = [(n.encode(), v.encode("latin-1")) for n, v in named.items() if v is not None]
    else:
        pairs = headers
    scope = {
        "type": kind,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": pairs,
        "client": (peer, 50_000),
        "server": ("127.0.0.1", PORT),
        "extensions": {"websocket.http.response": {}} if denial else {},
    }
    if kind == "http":
        scope["method"] = method
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(guard(scope, receive, send))
    return inner, sent


def status(sent: list[dict[str, Any]]) -> int:
    """Return the status of an answer."""
    return int(sent[0]["status"])


def header(sent: list[dict[str, Any]], name: str) -> list[str]:
    """Return the values of a header of an answer."""
    return [v.decode() for n, v in sent[0]["headers"] if n.decode().lower() == name]


def test_the_owner_passes() -> None:
    """A request with our Host and our cookie reaches the app."""
    inner, sent = ask()
    assert inner.reached
    assert status(sent) == 200


@pytest.mark.parametrize("host", [f"localhost:{PORT}", f"[::1]:{PORT}", f"LocalHost:{PORT}"])
def test_every_loopback_name_is_ours(host: str) -> None:
    """The three names of this machine pass, in any case."""
    assert status(ask(headers={"host": host})[1]) == 200


@pytest.mark.parametrize(
    "host",
    [
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.evil.example:{PORT}",
        f"localhost.:{PORT}",
        f"user@127.0.0.1:{PORT}",
        f"127.0.0.2:{PORT}",
        "",
    ],
)
@pytest.mark.parametrize(
    "path", ["/", "/_stcore/health", "/media/a.png", "/_stcore/upload_file/s/f", "/today-queue"]
)
def test_a_foreign_host_is_misdirected(host: str, path: str) -> None:
    """Another Host gets 421 on every route, cookie or not, and nothing of the app."""
    inner, sent = ask(path=path, headers={"host": host, "origin": f"http://{host}"})
    assert status(sent) == 421
    assert not inner.reached


def test_a_foreign_host_opens_no_websocket() -> None:
    """DNS rebinding: a WebSocket whose Host and Origin agree but are not ours is refused."""
    inner, sent = ask(
        kind="websocket",
        path="/_stcore/stream",
        headers={"host": f"evil.example:{PORT}", "origin": f"http://evil.example:{PORT}"},
    )
    assert status(sent) == 421
    assert not inner.reached


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "file://",
        "http://localhost:9999",
        f"http://localhost:{PORT}",
        f"https://{HOST}",
        f"http://{HOST}.evil.example",
        f"http://{HOST}/",
        "http://evil.example",
        "",
    ],
)
def test_a_websocket_needs_our_own_origin(origin: str | None) -> None:
    """Only `Origin: http://<Host>` opens a WebSocket, whatever cookie comes with it."""
    inner, sent = ask(kind="websocket", path="/_stcore/stream", headers={"origin": origin})
    assert status(sent) == 403
    assert not inner.reached


def test_a_websocket_from_our_page_is_accepted() -> None:
    """The right Origin and cookie reach the app."""
    inner, sent = ask(kind="websocket", headers={"origin": f"http://{HOST}"})
    assert inner.reached
    assert sent[0]["type"] == "websocket.accept"


def test_a_websocket_without_cookie_is_refused() -> None:
    """The right Origin alone is not enough: any local program can claim one."""
    inner, sent = ask(kind="websocket", headers={"origin": f"http://{HOST}", "cookie": None})
    assert status(sent) == 401
    assert not inner.reached


def test_a_server_without_denial_answers_closes_the_handshake() -> None:
    """Where the server cannot send a status, the handshake is closed before it is accepted."""
    _, sent = ask(kind="websocket", headers={"cookie": None}, denial=False)
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("peer", ["192.0.2.7", "2001:db8::1", "", "192.0.2.0/24", "no address"])
def test_only_this_machine_is_answered(peer: str) -> None:
    """A peer that is not on the loopback is refused even with cookie and Host."""
    inner, sent = ask(peer=peer)
    assert status(sent) == 403
    assert not inner.reached


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_peers_are_answered(peer: str) -> None:
    """All of the loopback counts as this machine."""
    assert status(ask(peer=peer)[1]) == 200


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "darkgnn-8640=",
        f"darkgnn-8641={TOKEN}",
        f"darkgnn-8640={TOKEN}x",
        f"darkgnn-8640={TOKEN[:-1]}",
        f"other={TOKEN}",
        "darkgnn-8640=caf\xe9",
    ],
)
def test_without_the_cookie_nobody_passes(cookie: str | None) -> None:
    """No cookie, a wrong one, or one of another port: 401, a page in plain words."""
    inner, sent = ask(headers={"cookie": cookie})
    assert status(sent) == 401
    assert b"terminal" in sent[1]["body"]
    assert TOKEN.encode() not in sent[1]["body"]
    assert not inner.reached


def test_the_cookie_is_found_among_others() -> None:
    """Cookies of other local programs, before and after, change nothing."""
    assert status(ask(headers={"cookie": f"a=b; {COOKIE}; c=d"})[1]) == 200


def test_the_right_token_gives_a_cookie_and_a_clean_address() -> None:
    """`/?token=` answers 303 to the address without it, with a strict, script-proof cookie."""
    inner, sent = ask(query=f"token={TOKEN}", headers={"cookie": None})
    assert status(sent) == 303
    assert header(sent, "location") == ["/"]
    assert header(sent, "set-cookie") == [f"{COOKIE}; Path=/; HttpOnly; SameSite=Strict"]
    assert not inner.reached


def test_a_deep_link_keeps_its_page_and_choices() -> None:
    """A token on another page's address goes to that page, other parameters kept."""
    _, sent = ask(
        path="/today-queue", query=f"day=2021-12-01&token={TOKEN}&x=", headers={"cookie": None}
    )
    assert header(sent, "location") == ["/today-queue?day=2021-12-01&x="]


def test_a_wrong_token_is_refused() -> None:
    """401, no cookie."""
    _, sent = ask(query="token=wrong", headers={"cookie": None})
    assert status(sent) == 401
    assert header(sent, "set-cookie") == []


def test_an_old_link_does_not_log_out() -> None:
    """A known browser that opens a link of an earlier start goes on, without a new cookie."""
    _, sent = ask(query="token=stale")
    assert status(sent) == 303
    assert header(sent, "set-cookie") == []
    assert header(sent, "location") == ["/"]


def test_the_token_is_taken_from_pages_only() -> None:
    """A POST or a WebSocket cannot log in by its address."""
    _, sent = ask(method="POST", query=f"token={TOKEN}", headers={"cookie": None})
    assert status(sent) == 401


def test_a_launch_file_is_taken_on_by_a_page() -> None:
    """From our launch file the browser would drop a strict cookie along a redirect."""
    _, sent = ask(
        query=f"token={TOKEN}",
        headers={
            "cookie": None,
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
    )
    assert status(sent) == 200
    assert header(sent, "refresh") == ["0; url=/"]
    assert header(sent, "set-cookie") == [f"{COOKIE}; Path=/; HttpOnly; SameSite=Strict"]


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "evil", "/a b", "/a\x00b"])
def test_no_address_leads_elsewhere(path: str) -> None:
    """A path that names a server, or holds control characters, is malformed: no open redirect."""
    inner, sent = ask(path=path, query=f"token={TOKEN}")
    assert status(sent) == 400
    assert not inner.reached


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(b"host", HOST.encode()), (b"host", b"evil.example")],
        [(b"host", HOST.encode()), (b"origin", b"a"), (b"Origin", b"b")],
        [(b"host", HOST.encode() + b"\x00")],
        [(b"host", HOST.encode()), (b"origin", b"http://a\r\nx: y")],
        [(b"host", HOST.encode()), (b"x-other", b"\x1b[2J")],
        [(b"host", HOST.encode()), (b"bad\nname", b"1")],
        [(b"host", HOST.encode()), (b"content-length", b"1"), (b"content-length", b"2")],
    ],
)
def test_malformed_headers_are_refused(pairs: list[tuple[bytes, bytes]]) -> None:
    """No Host, a doubled one, control characters: 400."""
    inner, sent = ask(headers=[*pairs, (b"cookie", COOKIE.encode())])
    assert status(sent) == 400
    assert not inner.reached


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("mode", "dest"), [("cors", "empty"), ("no-cors", "image"), ("navigate", "iframe")]
)
def test_no_other_site_loads_a_part_of_us(site: str, mode: str, dest: str) -> None:
    """Images, fetches and frames of other sites and other local ports are refused."""
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    assert status(ask(headers=headers)[1]) == 403


def test_a_link_on_another_local_page_works() -> None:
    """Following a link is no attack."""
    headers = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}
    assert status(ask(headers=headers | {"sec-fetch-dest": "document"})[1]) == 200


def test_a_form_of_another_origin_is_refused() -> None:
    """A POST from another local port carries its Origin."""
    assert status(ask(method="POST", headers={"origin": "http://localhost:9999"})[1]) == 403


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/_stcore/upload_file/s/f", {"content-length": str(64 << 20)}, 200),
        ("/_stcore/upload_file/s/f", {"content-length": str(70 << 20)}, 413),
        ("/_stcore/upload_file/s/f", {"transfer-encoding": "chunked"}, 413),
        ("/_stcore/upload_file/s/f", {"content-length": "-1"}, 413),
        ("/_stcore/upload_file/s/f", {"content-length": "9" * 400}, 413),
        ("/elsewhere", {"content-length": str(1 << 20)}, 413),
        ("/elsewhere", {"content-length": "10"}, 200),
    ],
)
def test_bodies_are_limited(path: str, headers: dict[str, str], expected: int) -> None:
    """Uploads up to the limit, small bodies elsewhere, never one without a length."""
    assert status(ask(method="PUT", path=path, headers=headers)[1]) == expected


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"headers": {"cookie": None}},
        {"headers": {"host": "evil.example"}},
        {"query": f"token={TOKEN}"},
        {"path": "//x"},
        {"kind": "websocket"},
        {"method": "HEAD", "headers": {"cookie": None}},
    ],
)
def test_every_answer_carries_the_headers(request_: dict[str, Any]) -> None:
    """Ours or the app's, allowed or not: each security header once."""
    _, sent = ask(**request_)
    for name, value in security_headers(POLICY).items():
        assert header(sent, name.decode()) == [value.decode()]


def test_the_app_cannot_weaken_a_header() -> None:
    """A header of the same name from the app is replaced."""
    inner = Inner([(b"X-Frame-Options", b"ALLOWALL"), (b"x-own", b"kept")])
    _, sent = ask(app=inner)
    assert header(sent, "x-frame-options") == ["DENY"]
    assert header(sent, "x-own") == ["kept"]


def test_a_crash_of_the_app_tells_nothing() -> None:
    """An exception behind the guard becomes a plain 500 with the headers; the log has it."""

    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("192.0.2.1 /home/analyst")

    sent: list[dict[str, Any]] = []
    guard = Guard(broken, token=TOKEN, upload_bytes=1, policy=POLICY)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", HOST.encode()), (b"cookie", COOKIE.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", PORT),
    }

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError):
        asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
    assert status(sent) == 500
    assert b"192.0.2.1" not in sent[1]["body"]
    assert header(sent, "content-security-policy") == [POLICY]


def test_other_kinds_of_messages_pass() -> None:
    """Start and end of the server (`lifespan`) are none of the guard's business."""
    inner = Inner()
    guard = Guard(inner, token=TOKEN, upload_bytes=1, policy=POLICY)

    async def send(_message: Any) -> None: ...

    asyncio.run(guard({"type": "lifespan"}, None, send))  # type: ignore[arg-type]
    assert inner.reached


def test_the_policy_allows_the_inline_script_by_its_hash() -> None:
    """The hash is that of the script's text; nothing inline is allowed otherwise, nor eval."""
    digest = base64.b64encode(hashlib.sha256(b"window.x = 1").digest()).decode()
    scripts = next(part for part in POLICY.split("; ") if part.startswith("script-src"))
    assert scripts == f"script-src 'self' 'sha256-{digest}' 'wasm-unsafe-eval'"


@given(
    st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=40)), max_size=6),
    st.binary(max_size=30),
    st.binary(max_size=30),
)
def test_no_request_breaks_the_guard(
    headers: list[tuple[bytes, bytes]], path: bytes, query: bytes
) -> None:
    """Whatever bytes come, without the cookie the app is never reached and one answer is given."""
    inner = Inner()
    guard = Guard(inner, token=TOKEN, upload_bytes=1, policy=POLICY)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/x",
        "raw_path": b"/" + path,
        "query_string": query,
        "headers": [(b"host", HOST.encode()), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", PORT),
    }
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
    assert not inner.reached
    assert sent[0]["status"] in (400, 401, 403, 421)
