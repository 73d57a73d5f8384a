{{ config(materialized='view') }}
{{ read_input('staff_fte') }}
