{{ config(materialized='view') }}
{{ read_input('licences') }}
