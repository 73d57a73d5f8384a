"""``python -m target_oneroster_csv.warehouse``."""

from .target import TargetOneRosterDuckDB

TargetOneRosterDuckDB.cli()
