{{ config(materialized='view') }}
{{ read_input('final_grades') }}
