{%- set counts = ['enrolled', 'with_attendance', 'with_percent', 'with_work_due'] %}
{%- set least = var('small_cell', 10) %}
-- A grade that was small in a week is hidden in all. Other marts show grades, so no further grade is hidden beside a small one: the
-- school's total is, unless two grades or more are hidden in the week, and they count enough persons together. A grade that is hidden for
-- its attendance, its work or another week may stand in another mart: so those that are small in students or percents are counted
-- alone, too. Of the worklist, a number is shown that is not small, and neither is the rest; the total not where it would tell that of
-- one grade, or of a few students. `telling` is the smaller of these two numbers.
with sizes as (
    select
        cells.*,
        min(enrolled) over (partition by school_id, grade) < {{ least }} or {{ is_small(counts) }} as is_small,
        {{ is_small(counts[0::2]) }} as is_small_elsewhere,
        case when on_worklist * 2 < enrolled then on_worklist else enrolled - on_worklist end as telling
    from {{ ref('cockpit_cell') }} as cells
),

hidden as (
    select
        school_id,
        week,
        sum(case when is_small then 1 else 0 end) as grades,
        {%- for count in counts %}
        sum(case when is_small then {{ count }} else 0 end) as {{ count }},
        {%- endfor %}
        sum(case when is_small_elsewhere then 1 else 0 end) as grades_elsewhere,
        {%- for count in counts[0::2] %}
        sum(case when is_small_elsewhere then {{ count }} else 0 end) as {{ count }}_elsewhere,
        {%- endfor %}
        sum(case when telling < {{ least }} then 1 else 0 end) as grades_telling,
        sum(case when telling < {{ least }} then telling else 0 end) as telling
    from sizes
    where grade <> 'all'
    group by school_id, week
)

select
    sizes.school_id,
    sizes.grade,
    sizes.week,
    sizes.enrolled,
    sizes.attendance_rate,
    sizes.mean_percent,
    sizes.missing_rate,
    case
        when sizes.telling < {{ least }} then null
        when
            sizes.grade = 'all' and hidden.grades_telling > 0
            and not (hidden.grades_telling >= 2 and hidden.telling >= {{ least }})
            then null
        else sizes.on_worklist
    end as on_worklist,
    case
        when sizes.is_small then 0
        when
            sizes.grade = 'all' and hidden.grades > 0 and not (
                hidden.grades >= 2
                and hidden.enrolled >= {{ least }}
                {%- for count in counts[1:] %}
                and (hidden.{{ count }} = 0 or hidden.{{ count }} >= {{ least }})
                {%- endfor %}
                and (hidden.grades_elsewhere = 0 or (
                    hidden.grades_elsewhere >= 2
                    and hidden.enrolled_elsewhere >= {{ least }}
                    and (hidden.with_percent_elsewhere = 0 or hidden.with_percent_elsewhere >= {{ least }})
                ))
            )
            then 0
        else sizes.enrolled
    end as shown_size
from sizes
inner join hidden on sizes.school_id = hidden.school_id and sizes.week = hidden.week
