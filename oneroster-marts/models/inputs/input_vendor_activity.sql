{{ config(materialized='view') }}
{{ read_input('vendor_activity') }}
