"""The wall before every request: loopback, Host, Origin, launch cookie, security headers.

Pure ASGI: it knows neither Streamlit nor Starlette, so it can stand before any app and be tested
without one. Order of the checks: peer, form, Host, Origin, fetch metadata, launch cookie, size.

Source: ours (`docs/decisions.md`, the guard); the launch token follows Jupyter's model.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pages.shared.refusals import BAD_REQUEST, FORBIDDEN, MISDIRECTED, TOO_LARGE, UNKNOWN, Answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_PARAMETER = "token"  # noqa: S105  # a name, not a secret
UPLOAD_PATH = "/_stcore/upload_file/"
MULTIPART_OVERHEAD_BYTES = 1 << 20
OTHER_BODY_BYTES = 64 << 10
SINGLE_HEADERS = (b"host", b"origin", b"content-length", b"transfer-encoding")
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedRequestError(ValueError):
    """A request that no browser would send."""


def content_security_policy(index_html: str) -> str:
    """Return the policy that lets Streamlit's own page work, and nothing from elsewhere.

    Args:
        index_html: The page Streamlit serves; its inline scripts are allowed by their hashes.
    """
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in INLINE_SCRIPT.findall(index_html)
    ]
    scripts = " ".join(f"'sha256-{value}'" for value in hashes)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {scripts} 'wasm-unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def security_headers(policy: str) -> dict[bytes, bytes]:
    """Return the headers that every response carries."""
    return {
        b"content-security-policy": policy.encode("ascii"),
        b"x-frame-options": b"DENY",
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
    }


@dataclass(frozen=True)
class Request:
    """What the guard looks at.

    Attributes:
        websocket: A WebSocket handshake, not an HTTP request.
        method: HTTP method; empty for a handshake.
        path: Path as sent, still percent-encoded.
        query: Query string as sent.
        headers: First value of each header by its lower-case name.
        peer: Address of the other end; empty if unknown.
        port: Local port of the connection.
    """

    websocket: bool
    method: str
    path: str
    query: str
    headers: dict[bytes, str]
    peer: str
    port: int

    @classmethod
    def of(cls, scope: Scope) -> "Request":
        """Read the scope of a request.

        Raises:
            MalformedRequestError: On control characters, bytes that are not ASCII where none
                belong, a doubled Host or Origin, no Host, or a path that names a server.
        """
        raw_path = scope.get("raw_path") or scope["path"].encode()
        path, query = _ascii(raw_path).partition("?")[0], _ascii(scope["query_string"])
        if not path.startswith("/") or path.startswith("//") or "\\" in path:
            raise MalformedRequestError("path")
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            name = name.lower()
            if CONTROL_BYTES.search(name) or CONTROL_BYTES.search(value):
                raise MalformedRequestError("header")
            if name in headers and name in SINGLE_HEADERS:
                raise MalformedRequestError("doubled header")
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]}; {text}" if name in headers else text
        if b"host" not in headers:
            raise MalformedRequestError("no Host")
        return cls(
            websocket=scope["type"] == "websocket",
            method=scope.get("method", ""),
            path=path,
            query=query,
            headers=headers,
            peer=(scope.get("client") or ("", 0))[0],
            port=int((scope.get("server") or ("", 0))[1] or 0),
        )

    @property
    def host(self) -> str:
        """The Host header."""
        return self.headers[b"host"]

    @property
    def token(self) -> str | None:
        """The launch token in the address, if one is given."""
        return dict(parse_qsl(self.query)).get(TOKEN_PARAMETER)

    @property
    def clean_address(self) -> str:
        """Path and query without the token."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        kept = urlencode([pair for pair in pairs if pair[0] != TOKEN_PARAMETER])
        return f"{self.path}?{kept}" if kept else self.path

    @property
    def cookie_name(self) -> str:
        """One name a port, so that two instances on one machine do not log each other out."""
        return f"darkgnn-{self.port}"

    @property
    def cookies(self) -> list[str]:
        """The values given for our cookie."""
        pairs = (part.strip().partition("=") for part in self._header(b"cookie").split(";"))
        return [value for name, _, value in pairs if name == self.cookie_name]

    def _header(self, name: bytes) -> str:
        return self.headers.get(name, "")

    def is_from_here(self) -> bool:
        """Whether the other end is on this machine."""
        try:
            address = ipaddress.ip_address(self.peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address).is_loopback

    def is_for_us(self) -> bool:
        """Whether Host is one of our own names, with our port."""
        names = ("127.0.0.1", "localhost", "[::1]")
        return self.host.lower() in [f"{name}:{self.port}" for name in names]

    def is_same_origin(self) -> bool:
        """Whether the page that asks is ours; a WebSocket has to say so, a plain GET may not."""
        origin = self.headers.get(b"origin")
        if origin is None:
            return not self.websocket
        return origin == f"http://{self.host}"

    def is_fetched_by_others(self) -> bool:
        """Whether the browser says that another site's page loads this as a part of itself."""
        site, mode = self._header(b"sec-fetch-site"), self._header(b"sec-fetch-mode")
        top_level = mode == "navigate" and self._header(b"sec-fetch-dest") in ("", "document")
        return site in ("cross-site", "same-site") and not top_level

    def is_too_large(self, upload_bytes: int) -> bool:
        """Whether the body's length is unknown, no number, or above what the path may take."""
        if b"transfer-encoding" in self.headers:
            return True
        length = self.headers.get(b"content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 15:
            return True
        is_upload = self.path.startswith(UPLOAD_PATH)
        limit = upload_bytes + MULTIPART_OVERHEAD_BYTES if is_upload else OTHER_BODY_BYTES
        return int(length) > limit


def _ascii(raw: bytes) -> str:
    if CONTROL_BYTES.search(raw) or b"\t" in raw or b" " in raw or not raw.isascii():
        raise MalformedRequestError("address")
    return raw.decode("ascii")


class Guard:
    """ASGI middleware that lets only the analyst's own browser through.

    Args:
        app: The app behind it.
        token: The launch token; whoever shows it once gets the cookie.
        upload_bytes: Largest file that may be uploaded.
        policy: Content security policy, from `content_security_policy`.
    """

    def __init__(self, app: App, *, token: str, upload_bytes: int, policy: str) -> None:
        self._app = app
        self._token = token
        self._upload_bytes = upload_bytes
        self._headers = security_headers(policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that may not pass; hand on one that may."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        outlet = _Outlet(send, self._headers)
        answer = self._answer(scope)
        if answer is not None:
            await _deliver(answer, scope, outlet)
            return
        try:
            await self._app(scope, receive, outlet)
        except Exception:
            if scope["type"] == "http" and not outlet.started:
                await _deliver(Answer(500, "Something went wrong."), scope, outlet)
            raise

    def _answer(self, scope: Scope) -> Answer | None:
        try:
            request = Request.of(scope)
        except MalformedRequestError:
            return BAD_REQUEST
        if not request.is_from_here():
            return FORBIDDEN
        if not request.is_for_us():
            return MISDIRECTED
        if not request.is_same_origin() or request.is_fetched_by_others():
            return FORBIDDEN
        return self._login(request)

    def _login(self, request: Request) -> Answer | None:
        known = any(self._is_token(value) for value in request.cookies)
        if request.token is not None and request.method in ("GET", "HEAD"):
            if self._is_token(request.token):
                return self._welcome(request)
            if known:
                return Answer(303, headers={"location": request.clean_address})
        if not known:
            return UNKNOWN
        return TOO_LARGE if request.is_too_large(self._upload_bytes) else None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def _welcome(self, request: Request) -> Answer:
        cookie = f"{request.cookie_name}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        headers = {"location": request.clean_address, "set-cookie": cookie}
        if request.headers.get(b"sec-fetch-site") == "cross-site":
            # Started by a page (our launch file): along a redirect the browser would withhold a
            # Strict cookie, so a page of ours takes the next step.
            headers["refresh"] = f"0; url={headers.pop('location')}"
            return Answer(200, "Opening darkgnn.", headers=headers)
        return Answer(303, headers=headers)


class _Outlet:
    """The way out: puts the security headers on every response, in place of any others."""

    def __init__(self, send: Send, headers: dict[bytes, bytes]) -> None:
        self._send = send
        self._headers = headers
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.started = True
            theirs = [
                (n, v) for n, v in message.get("headers", ()) if n.lower() not in self._headers
            ]
            message = {**message, "headers": [*theirs, *self._headers.items()]}
        await self._send(message)


async def _deliver(answer: Answer, scope: Scope, send: Send) -> None:
    """Send an answer; a handshake without the denial extension is closed, which browsers see."""
    kind = "http"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http"
    body = b"" if scope.get("method") == "HEAD" else answer.page()
    headers = [(name.encode(), value.encode("ascii")) for name, value in answer.headers.items()]
    headers += [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": f"{kind}.response.start", "status": answer.status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})
