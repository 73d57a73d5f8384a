"""What lies in a folder or zip beside plain files: links are followed, and nothing that bears a file's name is passed over."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import zipfile

import pytest

from tests.csv.bundles import ORGS, bundles_at, csv_text, read, write

USERS = csv_text("sourcedId,status,dateLastModified,username", "u1,,,ann")
IDS = ["d1", "s1", "s2"]


@pytest.fixture
def real(tmp_path):
    """A folder with the files themselves, somewhere else."""
    return write(tmp_path / "real", {"orgs.csv": ORGS, "users.csv": USERS})


def test_a_link_to_a_file_is_the_file(tmp_path, real):
    bundle = write(tmp_path / "b", {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "bulk"})
    (bundle / "users.csv").symlink_to("../real/users.csv")
    found = read(bundle, "users")
    assert (found.error, found.ids, found.last.snapshot) == (None, ["u1"], True)


@pytest.mark.parametrize("ending", ["gz", "GPG", "txt", "filepart"])
@pytest.mark.parametrize("form", ["b", "b.zip"])
def test_a_file_in_a_form_that_is_not_read_is_not_absent(tmp_path, ending, form):
    """Compressed, encrypted, still being uploaded: it fails by name, unless the file itself lies beside it."""
    found = read(write(tmp_path / form, {"orgs.csv": ORGS, f"users.csv.{ending}": "x"}, {"orgs": "bulk"}), "users")
    assert f"users.csv cannot be read, its entry is a {ending} file; send it as a plain file" in found.error
    found = read(
        write(tmp_path / f"2{form}", {"users.csv": USERS, f"users.csv.{ending}": "x"}, {"users": "bulk"}), "users"
    )
    assert (found.error, found.ids) == (None, ["u1"])


def test_a_mount_of_kubernetes_is_a_bundle(tmp_path):
    """Each name is a link through a link: `users.csv -> ..data/users.csv`, `..data -> ..2026_11_29`."""
    mount = tmp_path / "mount"
    write(mount / "..2026_11_29", {"orgs.csv": ORGS, "users.csv": USERS})
    (mount / "..data").symlink_to("..2026_11_29")
    for name in ("orgs.csv", "users.csv", "manifest.csv"):
        (mount / name).symlink_to(f"..data/{name}")
    assert read(mount, "users").ids == ["u1"]
    assert read(mount, "orgs").odd == {}


@pytest.mark.parametrize("path", ["current", "*rrent", "*/"], ids=str)
def test_a_link_to_a_folder_is_the_folder(tmp_path, real, path):
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/current").symlink_to(real)
    assert read(tmp_path / "drop" / path, "users").ids == ["u1"]


@pytest.mark.parametrize("pattern", ["*/b.zip", "**/*.zip", "district/*.zip", "**/b.zip"])
def test_a_pattern_follows_links_to_folders_and_no_loop(tmp_path, pattern):
    write(tmp_path / "far/b.zip", {"orgs.csv": ORGS})
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "district").symlink_to(tmp_path / "far")
    (tmp_path / "far/loop").symlink_to(drop)
    found = read(drop / pattern, "orgs")
    assert (found.error, found.ids) == (None, IDS)


def test_a_pattern_does_not_name_hidden_files(tmp_path):
    """What an upload in progress is called."""
    write(tmp_path / "b.zip", {"orgs.csv": ORGS})
    (tmp_path / ".b.zip.part").write_bytes(b"half")
    assert read(tmp_path / "*", "orgs").odd == {}


def make(path, kind):
    """Put something that is no file at a path."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "socket":
        with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as bound:  # its path may not be long
            bound.bind(path.name)
    elif kind == "link to folder":
        path.symlink_to("/")


KINDS = ["fifo", "folder", "device", "dangling", "loop", "socket", "link to folder"]
pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such entries here")


@pytest.mark.parametrize("modes", [{"orgs": "bulk"}, {"orgs": "bulk", "users": "bulk"}], ids=["absent", "declared"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_bears_a_files_name_and_is_no_file_fails_by_name(tmp_path, kind, modes):
    bundle = write(tmp_path / "b", {"orgs.csv": ORGS}, modes)
    make(bundle / "Users.csv", kind)
    found = read(bundle, "users", missing_collections="accept")
    assert found.error.startswith("b: users.csv cannot be read, its entry ")
    assert not any(facts.complete for _, facts in found.facts)
    assert read(bundle, "orgs").ids == IDS


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_manifest_the_bundle_fails_by_name(tmp_path, kind):
    """Its version might stand in that file."""
    bundle = write(tmp_path / "b", {"orgs.csv": ORGS}, None)
    make(bundle / "users.csv", kind)
    assert read(bundle, "orgs").error.startswith("b: users.csv cannot be read, its entry ")


def test_a_manifest_that_is_no_file_makes_the_bundle_fail(tmp_path):
    bundle = write(tmp_path / "b", {"orgs.csv": ORGS}, None)
    make(bundle / "manifest.csv", "dangling")
    assert read(bundle, "orgs").error.startswith("b: manifest.csv cannot be read, its entry is a link to something")


@pytest.mark.parametrize("kind", ["fifo", "device", "dangling", "socket", "loop"])
@pytest.mark.parametrize("place", ["users.csv", "b.zip"])
def test_a_path_that_is_neither_a_file_nor_a_folder_is_refused_at_once(tmp_path, kind, place):
    """A FIFO would be waited for, and a device read for ever."""
    make(tmp_path / place, kind)
    assert read(tmp_path / place, "orgs").error.startswith(f"{place}: is ")


def test_devices_by_their_own_path():
    assert read("/dev/zero", "orgs").error == "zero: is neither a file nor a folder"
    assert read("/dev/null", "orgs").error == "null: is neither a file nor a folder"


@pytest.mark.parametrize("kind", ["fifo", "device", "dangling", "loop"])
def test_a_pattern_that_names_such_a_thing_does_not_open_it(tmp_path, kind):
    from tap_oneroster._core.model import file
    from tap_oneroster.source import Request

    write(tmp_path / "a.zip", {"orgs.csv": ORGS}, at=1_788_000_000)
    make(tmp_path / "b.zip", kind)
    source = bundles_at(tmp_path / "*.zip")
    assert [len(batch) for one in source.passes(Request(file("orgs"), (file("orgs"),))) for batch in one] == [3]
    (problem,) = source.problems
    assert problem.startswith("b.zip: cannot be read")


@pytest.mark.parametrize("name", ["users.csv ", " users.csv", "users .csv", "Users.csv\t", "users.csv\u00a0"])
@pytest.mark.parametrize("form", ["b.zip", "folder"])
def test_a_name_with_blanks_at_an_end_fails_by_name(tmp_path, form, name):
    found = read(write(tmp_path / form, {"orgs.csv": ORGS, name: USERS}, {"orgs": "bulk"}), "users")
    assert found.error == (
        f"{form}: users.csv cannot be read, its entry has blanks at an end of its name; send it as a plain file"
    )


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO], ids=["link", "fifo"])
def test_an_entry_of_a_zip_that_is_no_file_fails_by_name(tmp_path, kind):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("orgs.csv", ORGS)
        entry = zipfile.ZipInfo("users.csv")
        entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
        archive.writestr(entry, "../real/users.csv")
        archive.writestr("manifest.csv", "propertyName,value\r\noneroster.version,1.1\r\n")
    assert "users.csv cannot be read, its entry is a link or a device" in read(tmp_path / "b.zip", "users").error
    assert read(tmp_path / "b.zip", "orgs").ids == IDS


def test_a_folder_of_a_zip_that_bears_a_files_name_fails_by_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("export/orgs.csv", ORGS)
        archive.mkdir("export/users.csv")
        archive.writestr("manifest.csv", "propertyName,value\r\noneroster.version,1.1\r\n")
    assert "users.csv cannot be read, its entry is a folder" in read(tmp_path / "b.zip", "users").error
    assert read(tmp_path / "b.zip", "orgs").odd == {}
