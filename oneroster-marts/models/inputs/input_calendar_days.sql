{{ config(materialized='view') }}
{{ read_input('calendar_days') }}
