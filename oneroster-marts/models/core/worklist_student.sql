-- A student of today, as of today and as of a week ago. Where no first day is known nobody is new, and nor is who was at the school
-- earlier in the year and came back: the work there is known.
with days as (
    {{ rule_days() }}
),

members as (
    select
        days.as_of,
        enrollments.person_id,
        enrollments.school_id,
        min(enrollments.grade) as grade
    from days
    inner join {{ ref('fct_enrollment') }} as enrollments
        on {{ is_current('days.as_of', 'enrollments.begin_date', 'enrollments.end_date') }}
    where enrollments.role = 'student' and enrollments.school_id is not null
    group by days.as_of, enrollments.person_id, enrollments.school_id
),

years as (
    select
        days.as_of,
        school_years.school_id,
        max(school_years.begin_date) as year_begin
    from days
    inner join {{ ref('school_year') }} as school_years
        on {{ is_current('days.as_of', 'school_years.begin_date', 'school_years.end_date') }}
    group by days.as_of, school_years.school_id
),

first_days as (
    select
        members.as_of,
        members.person_id,
        members.school_id,
        cast(min(spells.begin_date) as date) as first_day
    from members
    left join years on members.as_of = years.as_of and members.school_id = years.school_id
    inner join {{ ref('fct_spell') }} as spells
        on members.person_id = spells.person_id and members.school_id = spells.school_id
    where
        not spells.is_seen_only
        and spells.begin_date <= members.as_of
        and (spells.end_date is null or spells.end_date > coalesce(years.year_begin, {{ plus_days('members.as_of', -365) }}))
    group by members.as_of, members.person_id, members.school_id
)

select
    members.as_of,
    members.person_id,
    members.school_id,
    members.grade,
    coalesce(years.year_begin, {{ plus_days('members.as_of', -365) }}) as year_begin,
    first_days.first_day,
    coalesce(first_days.first_day > {{ plus_days('members.as_of', -limit_of('wait_days')) }}, false) as is_waiting,
    coalesce(
        first_days.first_day > {{ plus_days('members.as_of', -limit_of('new_days')) }} and first_days.first_day > years.year_begin, false
    ) as is_new_at_school
from members
left join years on members.as_of = years.as_of and members.school_id = years.school_id
left join first_days
    on
        members.as_of = first_days.as_of
        and members.person_id = first_days.person_id
        and members.school_id = first_days.school_id
