"""`oneroster-views`: the SQL of present rows for warehouses that other loaders fill."""

from __future__ import annotations

from click.testing import CliRunner
from target_oneroster.views_command import main


def test_it_prints_a_view_for_each_stream_and_the_five_views_of_the_standard():
    """PostgreSQL: names in quotes, comments on views and columns."""
    done = CliRunner().invoke(main, ["--dialect", "postgres", "--schema", "district"])
    assert done.exit_code == 0
    assert 'CREATE SCHEMA IF NOT EXISTS "district_current";' in done.output
    assert 'CREATE OR REPLACE VIEW "district_current"."enrollments" AS SELECT t."sourcedId"' in done.output
    assert 'WHERE t."_sdc_deleted_at" IS NULL' in done.output
    assert 'COMMENT ON COLUMN "district_current"."users"."givenName" IS' in done.output
    assert "demographics" not in done.output
    for view in ("students", "teachers", "schools", "terms", "gradingPeriods"):
        assert f'VIEW "district_current"."{view}"' in done.output


def test_snowflake_has_its_names_in_upper_case_and_one_stream_is_enough():
    """target-snowflake makes all names upper case."""
    done = CliRunner().invoke(main, ["--dialect", "snowflake", "--stream", "orgs", "--tenant"])
    assert done.exit_code == 0
    assert 'VIEW "ONEROSTER_CURRENT"."ORGS" AS SELECT t."TENANT", t."SOURCEDID"' in done.output
    assert "USERS" not in done.output


def test_a_stream_that_does_not_exist_is_named():
    """A misspelt stream ends in one line."""
    done = CliRunner().invoke(main, ["--dialect", "postgres", "--stream", "user"])
    assert done.exit_code == 2
    assert "user: not a stream of OneRoster" in done.output
