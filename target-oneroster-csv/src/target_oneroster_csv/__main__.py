"""``python -m target_oneroster_csv``."""

from .target import TargetOneRosterCSV

TargetOneRosterCSV.cli()
