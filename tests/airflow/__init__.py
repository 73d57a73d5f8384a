"""Tests that need Airflow: ./run test-airflow."""
