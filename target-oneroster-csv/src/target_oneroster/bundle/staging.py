"""Staged rows of a bundle: one text file on disk for each file of the bundle, with constant memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .._core.model import Field, File, file
from ..errors import Misconfigured, TargetError
from ..records.cells import CONTROL
from ..singer.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .parquet_lane import ColumnsFile

SEPARATOR = "\x1f"
"""Separates staged cells. No cell contains it, because control characters are replaced before."""
STAGED_FORM: dict[str, Any] = {"delim": SEPARATOR, "quote": "", "header": False, "new_line": "'\\n'"}
"""Options of `read_csv` for staged lines."""

_BUFFERED_ROWS = 2000
LINE_LIMIT = 2_500_000
"""Maximum size of a staged row in bytes."""


def staged_fields(file: File, *, secrets: bool, metadata: bool) -> tuple[Field, ...]:
    """Return the fields that are staged: every column of either version; passwords and metadata only on request."""
    return tuple(f for f in file.fields if (f.csv and (secrets or not f.secret)) or (metadata and f.name == "metadata"))


class FileStage:
    """Staged rows of one file, in the order of arrival.

    Each line holds a running number and the cells of `fields`. A higher version begins a new attempt, and the rows of
    the earlier attempt no longer count.
    """

    def __init__(self, staging: BundleStaging, file: File, fields: tuple[Field, ...]) -> None:
        self.file = file
        self.fields = fields
        self.path = staging.folder / f"{file.name}.staged"
        self.records = 0
        """Number of records of the last version."""
        self.in_order = True
        """True if ids arrived in strictly ascending order, so that nothing has to be sorted or merged."""
        self.version: int | None = None
        self.zone = staging.zone
        self.deviations: Counter[str] = Counter()
        """Rules that values of the rows broke, by field."""
        self.sample: list[str] = []
        """A sample of ids, used to divide a large file into parts for sorting."""
        self.columns: list[ColumnsFile] = []
        """Parquet files, whose rows count beside those of the lines."""
        self.loaded = 0
        """Number of rows of Parquet files that are in the engine's table of the file; it is complete if these are all."""
        self._staging = staging
        self._has_metadata = any(field.name == "metadata" for field in fields)
        self._last = ""
        self._buffer: list[str] = []
        self._buffered_ids: list[str] = []
        self._out = self.path.open("wb", buffering=0)
        self.path.chmod(0o600)

    def at_version(self, version: int | None) -> None:
        """Begin another attempt if the version has changed."""
        if version == self.version:
            return
        if self.version is not None and (version is None or version < self.version):
            raise TargetError(f"Stream {self.file.name}: the version of its records went back. Start the tap again.")
        if self.version is not None or self.records:
            self._restart()
        self.version = version

    def _restart(self) -> None:
        self._buffer.clear()
        self._buffered_ids.clear()
        self._out.seek(0)
        self._out.truncate()
        self.records, self.loaded, self.in_order, self._last = 0, 0, True, ""
        self.sample.clear()
        self.columns.clear()
        self.deviations.clear()

    def first_number(self, rows: int) -> int:
        """Reserve `rows` numbers, and return the first."""
        return self._staging.take_numbers(rows)

    def add_lines(self, lines: list[str], ids: list[str]) -> None:
        """Stage rows that are already rendered, with `ids` in the same order."""
        self.flush()
        if self._has_metadata:  # other cells cannot become longer than they were
            self._refuse_long(lines)
        self._write("".join(lines), ids)

    def _refuse_long(self, lines: list[str]) -> None:
        """Raise TargetError for a row that the engine could not read back."""
        for line in lines if max(map(len, lines)) * 4 > LINE_LIMIT else ():
            if len(line.encode()) > LINE_LIMIT:
                cells = line.split(SEPARATOR)[-len(self.fields) :]
                field = self.fields[max(range(len(cells)), key=lambda n: len(cells[n]))]
                raise TargetError(
                    f"Stream {self.file.name}, property {field.name}: a row of more than {LINE_LIMIT >> 20} MB. "
                    "Nothing was published. Leave it out or shorten it with stream_maps."
                )

    def add_file(self, file: ColumnsFile, rows: int, sample: list[str], ends: tuple[str, str], *, rising: bool) -> None:
        """Stage the rows of a Parquet file, whose smallest and largest ids are `ends`; `rising`: its ids ascend."""
        self.flush()
        lowest, highest = ends
        # Lines and files are read one after the other, so rows that came in turns have to be sorted.
        mixed = self.records > 0 and not self.columns
        self.in_order = self.in_order and rising and not mixed and lowest > self._last
        self._last = highest
        self.records += rows
        self.sample += sample
        self.columns.append(file)

    def add_loaded(self, file: ColumnsFile, rows: int) -> None:
        """Stage the rows of a Parquet file that are in the engine's table already."""
        self.columns.append(file)
        self.records += rows
        self.loaded += rows
        self.in_order = False

    def add_row(self, cells: Sequence[str], row_id: str) -> None:
        """Stage one row, with its cells in the order of `fields`."""
        text = SEPARATOR.join([cell.translate(CONTROL) for cell in cells])
        self._refuse_long([text])
        self._buffer.append(f"{self.first_number(1)}{SEPARATOR}{text}\n")
        self._buffered_ids.append(row_id)
        if len(self._buffer) >= _BUFFERED_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write buffered rows to disk."""
        if self._buffer:
            lines, ids = self._buffer, self._buffered_ids
            self._buffer, self._buffered_ids = [], []
            self._write("".join(lines), ids)

    def _write(self, text: str, ids: list[str]) -> None:
        if not all(ids):
            raise TargetError(f"Stream {self.file.name}: a record without a sourcedId. Every row needs one.")
        if self.in_order:
            self.in_order = not self.columns and self._rising(ids)
        self.records += len(ids)
        self.sample.append(ids[0])
        data = memoryview(text.encode("utf-8"))
        while data:
            data = data[self._out.write(data) or 0 :]

    def _rising(self, ids: list[str]) -> bool:
        if ids[0] <= self._last:
            return False
        self._last = ids[-1]
        return ids == sorted(ids) and len(set(ids)) == len(ids)

    def close(self) -> None:
        """Write all remaining rows to disk and close the file."""
        self.flush()
        self._out.close()

    def discard(self) -> None:
        """Close the file; rows that are still buffered are lost."""
        self._out.close()


class BundleStaging(Staging):
    """The folder of staged rows, and the counts of a run."""

    def __init__(self, folder: Path, *, metadata: bool = False, **options: Any) -> None:
        super().__init__(folder, **options)
        self.files: dict[str, FileStage] = {}
        self.tenants: set[str] = set()
        self._metadata = metadata

    def stage(self, name: str) -> FileStage:
        """Return the staged file of that name; create it on first use."""
        if name not in self.files:
            kind = file(name)
            fields = staged_fields(kind, secrets=self._secrets, metadata=self._metadata)
            self.files[name] = FileStage(self, kind, fields)
        return self.files[name]

    def inside(self, name: str) -> FileStage:
        """Return the staged file of rows that are nested in their parents' records."""
        self.nested.add(name)
        return self.stage(name)

    def note_tenants(self, tenants: set[str]) -> None:
        """Raise Misconfigured for a second tenant: ids are unique only within a tenant, so a bundle holds one."""
        self.tenants |= tenants
        if len(self.tenants) > 1:
            raise Misconfigured(
                "Records of two tenants came in one run: ids may clash. Write one bundle for each tenant, in runs of their own."
            )

    @property
    def records(self) -> int:
        """Number of records that count, over all files."""
        return sum(stage.records for stage in self.files.values())

    def close(self) -> None:
        """Write all remaining rows to disk and close the files."""
        for stage in self.files.values():
            stage.close()

    def discard(self) -> None:
        """Close all files without writing buffered rows."""
        for stage in self.files.values():
            stage.discard()
