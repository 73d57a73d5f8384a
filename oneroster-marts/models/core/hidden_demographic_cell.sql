-- Small cells are hidden, and the cell of a group that has no other. In turn, further cells are hidden beside those that are, and what
-- is hidden in a group is hidden in the groups that could tell it.
{%- set group = ['mart', 'school_id', 'grade', 'course_id', 'term_id', 'demographic'] %}
{%- set block = ['school_id', 'grade', 'demographic'] %}
{%- set counts = ['students', 'n'] %}
with cells_0 as (
    select
        cells.*,
        groups.sizes,
        {{ is_small(['cells.students', 'cells.n']) }}
            or count(*) over (partition by cells.{{ group | join(', cells.') }}) = 1 as is_flagged
    from {{ ref('demographic_cell') }} as cells
    inner join {{ ref('demographic_group') }} as groups
        on
            {%- for name in group %}
            cells.{{ name }} = groups.{{ name }}{{ ' and' if not loop.last }}
            {%- endfor %}
),

{% for round in range(1, 5) -%}
hidden_{{ round }} as (
    {{- hidden_cells('cells_' ~ (round - 1), group + ['sizes'], 'value', counts, ['school_students'], flag='is_flagged') }}
),

spread_{{ round }} as (
    select distinct
        {%- for name in block %}
        related.{{ name }},
        {%- endfor %}
        related.to_sizes as sizes,
        hidden.value
    from hidden_{{ round }} as hidden
    inner join {{ ref('related_demographic_group') }} as related
        on
            {%- for name in block %}
            hidden.{{ name }} = related.{{ name }} and
            {%- endfor %}
            hidden.sizes = related.from_sizes
            and (related.only_value is null or related.only_value = hidden.value)
    where hidden.is_hidden
),

cells_{{ round }} as (
    select
        {%- for name in group + ['value', 'students', 'n', 'school_students', 'sizes'] %}
        cells.{{ name }},
        {%- endfor %}
        spread.value is not null as is_flagged
    from cells_0 as cells
    left join spread_{{ round }} as spread
        on
            {%- for name in block + ['sizes', 'value'] %}
            cells.{{ name }} = spread.{{ name }}{{ ' and' if not loop.last }}
            {%- endfor %}
){{ ',' if not loop.last }}

{% endfor -%}
select
    {%- for name in group %}
    {{ name }},
    {%- endfor %}
    value,
    is_flagged as is_hidden
from cells_4
