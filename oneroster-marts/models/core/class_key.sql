{{ config(materialized='view') }}
-- A class code may be that of several classes: of two schools, or of sections that are taught together.
{%- for kind, column in [('sourcedId', 'class_id'), ('classCode', 'class_code')] %}
select
    '{{ kind }}' as key_kind,
    {{ as_key("'" ~ kind ~ "'", column) }} as class_key,
    class_id
from {{ ref('dim_class') }}
where {{ column }} <> '' and gone_on is null
{{ 'union all' if not loop.last }}
{%- endfor %}
