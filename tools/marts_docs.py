"""dbt's own documentation of the marts in one file: models, columns, lineage, exposures. It needs no warehouse.

    .marts/bin/python -m tools.marts_docs output/site/marts/dbt/index.html

`./run docs` calls it in the environment of the marts.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from oneroster_marts import project

ROOT = Path(__file__).resolve().parents[1]
DATABASES = ("warehouse_file", "restricted_file", "shared_file")


def write(path: Path) -> None:
    """Write the documentation; raise RuntimeError if dbt could not make it."""
    os.environ |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "DBT_VERSION_CHECK": "false"}
    from dbt.cli.main import dbtRunner

    with TemporaryDirectory() as place:
        folder = Path(place)
        attached = [{"path": ":memory:", "alias": name} for name in DATABASES]
        output = {"type": "duckdb", "path": ":memory:", "schema": "restricted", "attach": attached}
        profile = {"oneroster_marts": {"target": "docs", "outputs": {"docs": output}}}
        (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")  # JSON is YAML
        places = {"--project-dir": project.folder(), "--profiles-dir": folder, "--target-path": folder / "target"}
        options = [str(word) for pair in (places | {"--log-path": folder / "logs"}).items() for word in pair]
        for words in (["parse"], ["docs", "generate", "--static", "--empty-catalog", "--no-compile"]):
            result = dbtRunner().invoke([*words, *options, "--quiet"])
            if not result.success:
                raise RuntimeError(f"dbt {words[0]} failed: {result.exception}")
        text = (folder / "target" / "static_index.html").read_text(encoding="utf-8")
    for where in (str(project.folder()), str(ROOT), place):
        text = text.replace(where, ".")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
