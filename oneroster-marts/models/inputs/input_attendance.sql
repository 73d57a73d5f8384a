{{ config(materialized='view') }}
{{ read_input('attendance') }}
