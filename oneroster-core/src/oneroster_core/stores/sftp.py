"""SFTP that checks the server's key, with functions that sshfs lacks.

fsspec's `sftp` accepts any server's key and stores it; sshfs checks none unless it gets the known hosts. Here an
unknown key is always rejected, as OpenSSH does without a user at the terminal.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError, StoreUnreachable

_KNOWN_HOSTS = "~/.ssh/known_hosts"


def open_sftp(url: str, options: Mapping[str, Any], setting: str) -> tuple[Any, str]:
    """Connect, and return the file system and the path on the server.

    `options` are those of `asyncssh.connect` (`username`, `password`, `client_keys`, `passphrase`, `port`) and one of
    two that identify the server: `host_key` (a line like ``ssh-ed25519 AAAA…``) or `known_hosts` (a file; by default
    the user's).
    """
    from asyncssh import ConnectionLost, HostKeyNotVerifiable, KeyExchangeFailed
    from sshfs import SSHFileSystem

    # asyncssh logs every step of a connection, and the name of the user.
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    merged = {**SSHFileSystem._get_kwargs_from_urls(url), **options}
    host = merged.pop("host")
    merged["known_hosts"] = _known_hosts(merged.pop("host_key", None), merged.pop("known_hosts", _KNOWN_HOSTS), setting)
    try:
        fs = SSHFileSystem(host, skip_instance_cache=True, **merged)
    except HostKeyNotVerifiable:
        raise StoreError(
            "the SFTP server's key is not known; compare it with what the server's owner says, then put it into"
            f" host_key or known_hosts of {setting}"
        ) from None
    except KeyExchangeFailed:
        raise StoreError(
            "the SFTP server and this machine have no way of exchanging keys in common; ask the server's owner which"
            f" it has, and name them in kex_algs of {setting} (or in encryption_algs, mac_algs, server_host_key_algs)"
        ) from None
    except ConnectionLost:  # whichever side finds out first that no exchange is common closes the connection
        raise StoreUnreachable(
            "the SFTP server closed the connection before the login; run again, and if that repeats, ask the server's"
            f" owner which key exchanges it has, and name them in kex_algs of {setting}"
        ) from None
    except PermissionError:
        raise StoreError(
            f"the SFTP server refused the login; check username, password or client_keys in {setting}"
        ) from None
    except (ConnectionError, OSError, TimeoutError) as error:
        raise StoreUnreachable(
            f"the SFTP server cannot be reached at {host} ({type(error).__name__}); check host, port and network"
        ) from None
    return fs, SSHFileSystem._strip_protocol(url)


def make_private(fs: Any, path: str) -> None:
    """Create an empty file that only its owner can read, before data is written to it; sshfs has no chmod."""
    fs.pipe_file(path, b"")
    _on_channel(fs, lambda channel: channel.chmod(path, 0o600))


def real_path(fs: Any, path: str) -> str:
    """Return a path with its links resolved; sshfs has no realpath."""
    return str(_on_channel(fs, lambda channel: channel.realpath(path)))


def _on_channel(fs: Any, call: Any) -> Any:
    from fsspec.asyn import sync

    async def run() -> Any:
        async with fs._pool.get() as channel:
            return await call(channel)

    return sync(fs.loop, run)


def _known_hosts(host_key: str | None, known_hosts: Any, setting: str) -> bytes | str:
    if host_key:
        return f"* {host_key.strip()}\n".encode()
    if isinstance(known_hosts, str):
        path = Path(known_hosts).expanduser()
        if path.is_file():
            return str(path)
    raise StoreError(
        "nothing says which key the SFTP server has (known_hosts must name a file); put it into host_key or"
        f" known_hosts of {setting}"
    )
