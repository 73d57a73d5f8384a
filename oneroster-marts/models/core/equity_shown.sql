{%- set keys = ['school_id', 'grade', 'demographic', 'value'] %}
{%- set measures = {'flagged': 'flagged_rate', 'not_judged': 'cannot_say_rate'} %}
{%- set least = var('small_cell', 10) %}
{{ config(materialized='view') }}
-- A rate tells how many students it counts, so it is hidden where these, or the others of the row, are few. Where a rate is hidden, others of
-- the demographic are hidden with it, as with rows. `telling` is the smaller of the two numbers.
with cells as (
    select
        its.*,
        {%- for measure in measures %}
        case when its.{{ measure }} * 2 < its.students then its.{{ measure }} else its.students - its.{{ measure }} end as telling_{{ measure }},
        {%- endfor %}
        its.students < {{ least }} or coalesce(hidden.is_hidden, false) as is_row_hidden
    from {{ ref('equity_cell') }} as its
    left join {{ ref('hidden_demographic_cell') }} as hidden
        on
            hidden.mart = 'demographic_results'
            {%- for name in keys %}
            and its.{{ name }} = hidden.{{ name }}
            {%- endfor %}
)

{%- for measure in measures %},

hidden_{{ measure }} as (
    {{- hidden_cells('cells', keys[:3], 'value', ['telling_' ~ measure], ['students'],
                     flag='is_row_hidden or telling_' ~ measure ~ ' < ' ~ least) }}
)
{%- endfor %}

select
    {%- for name in keys %}
    cells.{{ name }},
    {%- endfor %}
    cells.students,
    {%- for measure, rate in measures.items() %}
    case when not hidden_{{ measure }}.is_hidden then {{ number('100.0 * cells.' ~ measure ~ ' / cells.students') }} end as {{ rate }}{{ ',' if not loop.last }}
    {%- endfor %}
from cells
{%- for measure in measures %}
inner join hidden_{{ measure }}
    on
        {%- for name in keys %}
        cells.{{ name }} = hidden_{{ measure }}.{{ name }}{{ ' and' if not loop.last }}
        {%- endfor %}
{%- endfor %}
