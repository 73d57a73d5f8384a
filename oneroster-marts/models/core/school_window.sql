-- Where the calendar is given, its school days; of a school that it does not have, the days of the terms on which school is held by the
-- week: on the weekdays of which attendance is known, or else from Monday to Friday, without the days that the calendar names as free.
with days as (
    {{ each_day(plus_days(today(), -200), today()) }}
),

calendar as (
    select distinct
        school_id,
        day,
        is_school_day
    from {{ ref('input_calendar_days') }}
    where day <= {{ today() }}
),

weekdays as (
    select distinct
        school_id,
        {{ days_from(monday('day'), 'day') }} as weekday
    from {{ ref('input_attendance') }}
),

term_spans as (
    {{ term_spans() }}
),

term_days as (
    select distinct
        term_spans.school_id,
        days.day,
        {{ days_from(monday('days.day'), 'days.day') }} as weekday
    from term_spans
    inner join days on term_spans.begin_date <= days.day and days.day < term_spans.end_date
    where
        term_spans.school_id is not null
        and not exists (
            select 1
            from calendar
            where calendar.is_school_day and calendar.school_id = term_spans.school_id
        )
),

school_days as (
    select
        school_id,
        day
    from calendar
    where is_school_day
    union all
    select
        term_days.school_id,
        term_days.day
    from term_days
    left join (select distinct weekdays.school_id from weekdays) as known on term_days.school_id = known.school_id
    left join weekdays on term_days.school_id = weekdays.school_id and term_days.weekday = weekdays.weekday
    left join calendar as free on term_days.school_id = free.school_id and term_days.day = free.day
    where
        (weekdays.weekday is not null or (known.school_id is null and term_days.weekday < 5))
        and free.day is null
),

placed as (
    select
        school_id,
        day,
        row_number() over (partition by school_id order by day desc) as place
    from school_days
)

select
    school_id,
    cast(min(day) as date) as begin_date,
    count(*) as school_days
from placed
where place <= 20
group by school_id
