-- Half-open spans without school: between the terms of a school's classes; where the calendar is given, more than four days
-- in a row without a school day.
with calendar_days as (
    select
        school_id,
        day
    from {{ ref('input_calendar_days') }}
    where is_school_day
),

term_spans as (
    {{ term_spans() }}
),

spans as (
    select
        school_id,
        day as begin_date,
        {{ plus_days('day', 1) }} as end_date,
        5 as shortest
    from calendar_days
    union all
    select
        school_id,
        begin_date,
        end_date,
        1 as shortest
    from term_spans
    where school_id not in (select calendar_days.school_id from calendar_days)
),

ends as (
    select
        school_id,
        begin_date as next_begin,
        shortest,
        max(end_date) over (
            partition by school_id order by begin_date, end_date
            rows between unbounded preceding and 1 preceding
        ) as end_before
    from spans
)

select distinct
    school_id,
    end_before as begin_date,
    next_begin as end_date
from ends
where {{ days_from('end_before', 'next_begin') }} >= shortest
