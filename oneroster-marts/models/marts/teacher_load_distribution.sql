{% set widths = {'sections': 1, 'sections_shared': 1, 'preps': 1, 'students': 25, 'seats': 25} %}
with measured as (
    {% for measure, width in widths.items() %}
    select
        school_id,
        term_id,
        '{{ measure }}' as measure,
        teacher_id,
        {{ number('floor(' ~ measure ~ ' / cast(' ~ width ~ ' as ' ~ type_of('number') ~ ')) * ' ~ width) }} as bin_from,
        {{ width }} as width
    from {{ ref('teacher_load') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    school_id,
    term_id,
    measure,
    bin_from,
    {{ number('bin_from + width') }} as bin_to,
    count(distinct teacher_id) as teachers,
    false as suppressed
from measured
group by school_id, term_id, measure, bin_from, width
