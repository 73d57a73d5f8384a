-- Groups of a grade with the same numbers of students are taken for the same students: those of two courses that all take, or of two
-- terms. What is hidden in one is hidden in all of them, or one would tell the other.
{%- set group = ['mart', 'school_id', 'grade', 'course_id', 'term_id', 'demographic'] %}
with marked as (
    {{- hidden_cells(ref('demographic_cell'), group, 'value', ['students', 'n'], ['school_students']) }}
),

sizes as (
    select
        {{ group | join(', ') }},
        {{ joined("value || ':' || cast(students as " ~ type_of('text') ~ ")", 'value') }} as sizes
    from {{ ref('demographic_cell') }}
    group by {{ group | join(', ') }}
)

select
    {%- for name in group %}
    marked.{{ name }},
    {%- endfor %}
    marked.value,
    max(case when marked.is_hidden then 1 else 0 end) over (
        partition by marked.school_id, marked.grade, marked.demographic, sizes.sizes, marked.value
    ) = 1 as is_hidden
from marked
inner join sizes
    on
        {%- for name in group %}
        marked.{{ name }} = sizes.{{ name }}{{ ' and' if not loop.last }}
        {%- endfor %}
