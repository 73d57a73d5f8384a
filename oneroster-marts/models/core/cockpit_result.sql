{%- set keys = ['school_id', 'week', 'person_id', 'class_id'] %}
-- To date: in the classes of the week, what was due by the day as of which it is described.
with classes as (
    select distinct
        days.school_id,
        days.week,
        days.described_on,
        enrollments.person_id,
        enrollments.class_id
    from {{ ref('cockpit_day') }} as days
    inner join {{ ref('fct_enrollment') }} as enrollments
        on
            days.school_id = enrollments.school_id
            and {{ is_current('days.described_on', 'enrollments.begin_date', 'enrollments.end_date') }}
    where
        enrollments.role = 'student'
        and enrollments.counts_as_class
        and enrollments.class_id in (select graded.class_id from {{ ref('fct_result') }} as graded)
),

results as (
    select
        classes.school_id,
        classes.week,
        classes.person_id,
        classes.class_id,
        results.category_id,
        results.is_counted,
        results.counted_points,
        results.max_points,
        results.basis,
        results.window_date > {{ plus_days('classes.described_on', -28) }} and not results.is_exempt as is_due,
        results.is_missing
        and (results.window_date < classes.described_on or lower(coalesce(results.score_status, '')) <> 'not submitted') as is_missing
    from classes
    inner join {{ ref('fct_result') }} as results
        on classes.person_id = results.person_id and classes.class_id = results.class_id
    where results.is_in_class and (results.window_date is null or results.window_date <= classes.described_on)
),

class_percents as (
    {{ percents_from('(select * from results where is_counted)', keys) }}
),

percents as (
    select
        school_id,
        week,
        person_id,
        {{ number('avg(percent)') }} as percent
    from class_percents
    where results >= 3
    group by school_id, week, person_id
),

due as (
    select
        school_id,
        week,
        person_id,
        sum(case when is_due then 1 else 0 end) as due,
        sum(case when is_due and is_missing then 1 else 0 end) as missing
    from results
    group by school_id, week, person_id
)

select
    due.school_id,
    due.week,
    due.person_id,
    percents.percent,
    due.due,
    due.missing
from due
left join percents
    on due.school_id = percents.school_id and due.week = percents.week and due.person_id = percents.person_id
