{{ config(materialized='view') }}
{{ read_input('lms_memberships') }}
