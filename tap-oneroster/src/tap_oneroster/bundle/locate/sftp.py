"""SFTP with the server's key checked: what fsspec's own classes leave out.

fsspec's `sftp` takes any server's key and remembers it; sshfs checks none unless it is told
which are known. Here an unknown key is always refused, as OpenSSH does when nobody is there to ask.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...source import FatalSourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsspec import AbstractFileSystem

__all__ = ["open_sftp"]

_KNOWN_HOSTS = "~/.ssh/known_hosts"


def open_sftp(url: str, options: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """Connect, and name the path on the server.

    `options` are those of `asyncssh.connect` (`username`, `password`, `client_keys`, `passphrase`,
    `port`) and two that say which server is meant: `host_key` (a line like ``ssh-ed25519 AAAA…``)
    or `known_hosts` (a file; by default that of the user).
    """
    from asyncssh import HostKeyNotVerifiable
    from sshfs import SSHFileSystem

    # It tells every step of a connection, and who logs in.
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    merged = {**SSHFileSystem._get_kwargs_from_urls(url), **options}
    host = merged.pop("host")
    merged["known_hosts"] = _known_hosts(merged.pop("host_key", None), merged.pop("known_hosts", _KNOWN_HOSTS))
    try:
        fs = SSHFileSystem(host, skip_instance_cache=True, **merged)
    except HostKeyNotVerifiable:
        raise FatalSourceError(
            "csv_path: the SFTP server's key is not known; compare it with what the server's owner says, then put it"
            " into host_key or known_hosts of csv_storage_options"
        ) from None
    except PermissionError:
        raise FatalSourceError(
            "csv_path: the SFTP server refused the login; check username, password or client_keys in csv_storage_options"
        ) from None
    except (ConnectionError, OSError, TimeoutError) as error:
        raise FatalSourceError(
            f"csv_path: the SFTP server cannot be reached ({type(error).__name__}); check host, port and network"
        ) from None
    return fs, SSHFileSystem._strip_protocol(url)


def _known_hosts(host_key: str | None, known_hosts: Any) -> bytes | str:
    if host_key:
        return f"* {host_key.strip()}\n".encode()
    if not isinstance(known_hosts, str):
        raise FatalSourceError("known_hosts: must name a file; a server whose key is not checked could be anyone")
    path = Path(known_hosts).expanduser()
    if not path.is_file():
        raise FatalSourceError(
            "csv_path: nothing says which key the SFTP server has; put it into host_key or known_hosts of csv_storage_options"
        )
    return str(path)
