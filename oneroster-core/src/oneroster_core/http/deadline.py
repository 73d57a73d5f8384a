"""A limit in time for an answer as a whole: a socket only limits the wait for the next bytes."""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket

    from urllib3 import PoolManager, ProxyManager

__all__ = ["TIMES", "Overdue", "TimedAdapter"]

TIMES = 3
"""An answer as a whole may take this many times the wait for its next bytes."""


class Overdue(Exception):
    """An answer did not come to its end in time."""


class _TimedReads(io.RawIOBase):
    """Reads from a socket until the time of the answer is over; then raises Overdue."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._step = sock.gettimeout() or 0.0
        self._end = time.monotonic() + TIMES * self._step

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if not self._step or left >= self._step:
            return self._raw.readinto(buffer)
        if left > 0:
            self._sock.settimeout(left)
            try:
                return self._raw.readinto(buffer)
            except TimeoutError:
                pass
        raise Overdue

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """A response whose first line, header, body and trailer must come before one moment."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReads(sock))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class TimedAdapter(HTTPAdapter):
    """The adapter of requests, with a limit in time for each answer."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _time(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            _time(manager)
        return manager


def _time(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
