-- A student of today, as of today and as of a week ago. Where no first day is known nobody is new.
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
)

select
    members.as_of,
    members.person_id,
    members.school_id,
    members.grade,
    coalesce(years.year_begin, {{ plus_days('members.as_of', -365) }}) as year_begin,
    spells.begin_date as first_day,
    coalesce(spells.begin_date > {{ plus_days('members.as_of', -limit_of('wait_days')) }}, false) as is_waiting,
    coalesce(
        spells.begin_date > {{ plus_days('members.as_of', -limit_of('new_days')) }} and spells.begin_date > years.year_begin, false
    ) as is_new_at_school
from members
left join years on members.as_of = years.as_of and members.school_id = years.school_id
left join {{ ref('fct_spell') }} as spells
    on
        members.person_id = spells.person_id
        and members.school_id = spells.school_id
        and not spells.is_seen_only
        and {{ is_current('members.as_of', 'spells.begin_date', 'spells.end_date') }}
