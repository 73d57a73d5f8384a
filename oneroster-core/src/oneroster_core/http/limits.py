"""Limits on the time and size of a whole response; a socket timeout only limits the wait for the next bytes."""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any, cast

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket

    import requests
    from urllib3 import PoolManager, ProxyManager
    from urllib3.connectionpool import ConnectionPool

TIMES = 3
"""A whole response may take this many times the read timeout."""
MOST_BYTES = 256 << 20
"""Maximum size of a response in bytes, compressed or not."""


class Overdue(Exception):
    """A response did not end in time."""


class Oversize(Exception):
    """A response is longer than any valid response can be."""


class _LimitedReads(io.RawIOBase):
    """Reads from a socket; raises Overdue or Oversize if the answer takes too long or becomes too long."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._step = sock.gettimeout() or 0.0
        self._end = time.monotonic() + TIMES * self._step
        self._room = MOST_BYTES

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if self._step and left < self._step:
            if left <= 0:
                raise Overdue
            self._sock.settimeout(left)
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            if self._step and left < self._step:
                raise Overdue from None
            raise
        self._room -= count or 0
        if self._room < 0:
            raise Oversize
        return count

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Limited:
    """A socket of which a response uses only its file."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_LimitedReads(self._sock))


class _LimitedResponse(http.client.HTTPResponse):
    """A response with one limit for status line, header, body and trailer together."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _Limited(sock)), *args, **kwargs)


class _Connection(HTTPConnection):
    response_class = _LimitedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _LimitedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class LimitedAdapter(HTTPAdapter):
    """The adapter of requests, with limits on each response."""

    _latest: tuple[tuple[Any, ...], ConnectionPool] | None = None
    """The connections that the latest request used, after what they were chosen by."""

    @override
    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> ConnectionPool:
        """Return connections to the host of a request; to find them takes as long as to write the request."""
        origin = (request.url or "").split("/", 3)[:3]
        chosen_by = (origin, verify, proxies, cert)
        latest = self._latest
        if latest and latest[0] == chosen_by:
            return latest[1]
        pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
        self._latest = (origin, verify, dict(proxies or {}), cert), pool
        return pool

    @override
    def close(self) -> None:
        self._latest = None  # connections are closed once nothing refers to them
        super().close()

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _limit(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            _limit(manager)
        return manager


def _limit(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
