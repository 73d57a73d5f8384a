"""Bundles behind URLs: uploaded under another name, then moved."""

from __future__ import annotations

import io
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from target_oneroster.bundle.target import TargetOneRosterCSV
from target_oneroster.errors import TargetError

from .mini import encode, lines, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterable


@pytest.fixture(params=["bundle.zip", "bundle"])
def url(request: pytest.FixtureRequest) -> str:
    return f"memory://{uuid.uuid4().hex}/{request.param}"


def run(url: str, messages: Iterable[Any], **config: Any) -> None:
    target = TargetOneRosterCSV(config={"output_path": url} | config)
    try:
        target.listen(io.BytesIO(encode(messages)))  # type: ignore[arg-type]
    finally:
        target.close()


def files(url: str) -> dict[str, bytes]:
    store, path = fsspec.core.url_to_fs(url)
    if path.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(store.cat_file(path))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    return {name.rpartition("/")[2]: store.cat_file(name) for name in store.ls(path, detail=False)}


def beside(url: str) -> list[str]:
    store, path = fsspec.core.url_to_fs(url)
    return sorted(name.rpartition("/")[2] for name in store.ls(path.rpartition("/")[0], detail=False))


def test_publish_and_merge(url: str) -> None:
    """A first bundle, then an upsert into it; nothing else is left there."""
    district = rows()
    run(url, lines(district))
    assert b"Art 1" in files(url)["classes.csv"]
    run(url, lines({"courses": [row(district, "courses", "c1") | {"title": "Arts"}]}), load_method="upsert")
    assert b",Arts," in files(url)["courses.csv"]
    assert b"Art 1" in files(url)["classes.csv"]
    assert beside(url) == [url.rpartition("/")[2]]


def test_a_failed_upload_keeps_the_old_bundle(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No state, no trace of the new bundle, the old one as it was."""
    run(url, lines(rows()))
    before = files(url)
    store, _ = fsspec.core.url_to_fs(url)
    real = type(store).put_file

    def broken(self: Any, local: str, remote: str, **kwargs: Any) -> None:
        if "users" in remote or ".zip" in remote:
            raise OSError(5, "the line was cut")
        real(self, local, remote, **kwargs)

    monkeypatch.setattr(type(store), "put_file", broken)
    district = rows()
    row(district, "courses", "c1")["title"] = "Arts"
    with pytest.raises(TargetError, match=r"the store failed while the new bundle was uploaded \(OSError\)"):
        run(url, lines(district, state={"a": 1}))
    assert files(url) == before
    assert beside(url) == [url.rpartition("/")[2]]
    assert capsys.readouterr().out == ""


def test_what_a_killed_upload_left_goes_with_the_next_run(url: str) -> None:
    """Temporary names are swept."""
    store, path = fsspec.core.url_to_fs(url)
    parent, _, name = path.rpartition("/")
    run(url, lines(rows()))
    store.pipe_file(f"{parent}/.{name}.oneroster-dead", b"half")
    run(url, lines(rows()))
    assert beside(url) == [name]


def test_a_folder_that_is_no_bundle(url: str) -> None:
    """What is not ours is not touched."""
    if url.endswith(".zip"):
        pytest.skip("a zip is one file")
    store, path = fsspec.core.url_to_fs(url)
    store.pipe_file(f"{path}/thesis.txt", b"ten years")
    with pytest.raises(TargetError, match="is not a bundle"):
        run(url, lines(rows()))


def test_an_unknown_kind_of_url() -> None:
    """One line that names the setting."""
    with pytest.raises(TargetError, match="output_path"):
        run("nosuch://bucket/bundle.zip", lines(rows()))


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("sftp://127.0.0.1:9/b.zip", {"username": "u", "password": "sehr-geheim", "host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKOUSDl1kPqpbBsUgGDqHRYXwEGwEBTOxa+nF0oHPEkI"}),
        ("s3://drop/b.zip", {"key": "k", "secret": "sehr-geheim", "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"}, "config_kwargs": {"retries": {"max_attempts": 0}}}),
    ],
    ids=["sftp", "s3"],
)  # fmt: skip
def test_a_store_that_is_not_there(url: str, options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the setting and the kind of fault, no secret, no state."""
    with pytest.raises(TargetError, match=r"^output_path: .*(ConnectionRefusedError|EndpointConnectionError)") as told:
        run(url, lines(rows(), state={"a": 1}), storage_options=options)
    assert "geheim" not in told.value.message
    assert "\n" not in told.value.message
    assert capsys.readouterr().out == ""
