-- Spans are put together first, since a student has many classes.
with spans as (
    select distinct
        person_id,
        school_id,
        grade,
        begin_date,
        end_date
    from {{ ref('fct_enrollment') }}
    where role = 'student' and school_id is not null
)

select
    days.school_id,
    days.week,
    spans.person_id,
    min(spans.grade) as grade
from {{ ref('cockpit_day') }} as days
inner join spans
    on
        days.school_id = spans.school_id
        and {{ is_current('days.described_on', 'spans.begin_date', 'spans.end_date') }}
group by days.school_id, days.week, spans.person_id
