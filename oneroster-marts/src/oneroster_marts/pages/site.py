"""Writes the pages into a folder: those that hold no person as anybody may read them, the others for their owner only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Failed, Wrong
from ..reader import open_reader
from ..settings import nearest
from .contents import read, schools
from .counsellor import Counsel
from .district import Line, district_page, line_of
from .licences import licences_page
from .membership import Membership
from .school import school_page
from .teachers import teachers_page
from .words import file_of

if TYPE_CHECKING:
    from ..settings import Settings


def write_site(
    settings: Settings, out: Path, *, school: str = "", restricted: bool = False, names: bool = False
) -> list[Path]:
    """Write the pages, and return their paths. Of a page that is written anew nobody sees a half.

    Args:
        settings: The settings of the command.
        out: The folder; it is made if need be.
        school: The only school for which pages are made; the district's page has all of them.
        restricted: Also the counsellor's list and the memberships of each school; the principal's page hides nothing then.
        names: Persons are named by names, not by ids.

    Raises:
        Wrong: There is no such school, or the folder cannot be written.
        Failed: A mart is not built, or the warehouse is busy.
    """
    written: list[Path] = []

    def write(name: str, text: str, mode: int) -> None:
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if mode == 0o600 else 0o777)
            _replace(path, text, mode)
        except OSError as error:
            raise Wrong(f"{path}: {error.strerror or 'cannot be written'}") from None
        written.append(path)

    with open_reader(settings, restricted=restricted) as reader:
        of = read(reader, settings.small_cell, restricted=False)
        known = of.names.get("school", {})
        if school and school not in known:
            raise Wrong(f"no such school: {school}{nearest(school, known) if known else ''}")
        lines: list[Line] = []
        for its in schools(reader, of):
            lines.append(line_of(its))
            if not restricted and school in ("", its.id):
                write(f"school/{file_of(its.id)}", school_page(its), 0o644)
        if restricted:
            own = read(reader, settings.small_cell, restricted=True)
            counsel, membership = Counsel(reader, own, names=names), Membership(reader, own, names=names)
            for its in schools(reader, own):
                if school in ("", its.id):
                    write(f"school/{file_of(its.id)}", school_page(its), 0o600)
                    write(f"counsellor/{file_of(its.id)}", counsel.page(its), 0o600)
                    write(f"class-membership/{file_of(its.id)}", membership.page(its), 0o600)
        if school and not any(line.id == school for line in lines):
            raise Failed(f"school {school} has no student and no class; there is nothing to show")
        write("index.html", district_page(reader, of, lines), 0o644)
        write("licences.html", licences_page(reader, of), 0o644)
        write("teachers.html", teachers_page(reader, of), 0o644)
    return written


def _replace(path: Path, text: str, mode: int) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        partial.chmod(mode if mode == 0o600 else mode & ~_umask())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
