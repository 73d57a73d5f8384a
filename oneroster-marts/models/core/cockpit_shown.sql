{%- set counts = ['enrolled', 'with_attendance', 'with_percent', 'with_work_due'] %}
{%- set least = var('small_cell', 10) %}
-- A grade that was small in a week is hidden in all. Other marts show grades, so no further grade is hidden beside a small one: the
-- school's total is, unless two grades or more are hidden in the week, and they count enough persons together. Of the worklist, a
-- number is shown that is not small, and neither is the rest; the total not where it would tell that of one grade.
with sizes as (
    select
        cells.*,
        min(enrolled) over (partition by school_id, grade) < {{ least }} or {{ is_small(counts) }} as is_small,
        on_worklist >= {{ least }} and enrolled - on_worklist >= {{ least }} as is_worklist_shown
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
        sum(case when is_small or not is_worklist_shown then 1 else 0 end) as without_worklist
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
        when sizes.is_worklist_shown and not (sizes.grade = 'all' and hidden.without_worklist = 1) then sizes.on_worklist
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
            )
            then 0
        else sizes.enrolled
    end as shown_size
from sizes
inner join hidden on sizes.school_id = hidden.school_id and sizes.week = hidden.week
