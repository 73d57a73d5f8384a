"""Open a store by its URL, for reading and for writing; no other code opens stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import StoreError, StoreUnreachable
from .addresses import SFTP, extra_of, is_in_the_clear, protocol_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsspec import AbstractFileSystem


def open_store(url: str, options: Mapping[str, Any], *, setting: str, package: str) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a path or URL, and the path in it.

    `setting` is the name of the setting that holds the options, and `package` is the plugin whose extras install the
    stores; the advice in errors names both. Raise StoreError if the store cannot be opened.
    """
    # Imported here because most commands (--about, --version) never open a store.
    import fsspec

    protocol = protocol_of(url)
    if is_in_the_clear(url, options):
        raise StoreError("http:// and ftp:// show pupils' data to the network; use https:// or sftp://")
    try:
        if protocol in SFTP:
            from .sftp import open_sftp

            return open_sftp(url, options, setting)
        fs, path = fsspec.url_to_fs(url, **options)
    except ImportError:
        extra = extra_of(protocol)
        advice = f"install {package}[{extra}]" if extra else "install the package that fsspec asks for"
        raise StoreError(f"{protocol}:// is not installed; {advice}") from None
    except StoreError:
        raise
    except Exception as error:  # messages of the libraries may contain addresses and keys
        raise StoreUnreachable(
            f"the store cannot be opened ({type(error).__name__}); check the path and {setting}"
        ) from None
    return fs, str(path)
