-- A homeroom makes nobody entitled, unless its school has nothing else. A teacher stands here for each grade that is taught.
with members as (
    select distinct
        enrollments.class_id,
        enrollments.school_id,
        courses.course_code,
        enrollments.role,
        enrollments.person_id,
        enrollments.grade
    from {{ ref('fct_enrollment') }} as enrollments
    left join {{ ref('dim_course') }} as courses on enrollments.course_id = courses.course_id
    left join {{ ref('dim_person') }} as persons on enrollments.user_id = persons.user_id
    where
        enrollments.role in ('student', 'teacher')
        and enrollments.counts_as_class
        and {{ is_current(today(), 'enrollments.begin_date', 'enrollments.end_date') }}
        and persons.gone_on is null
),

class_grades as (
    select distinct
        class_id,
        grade
    from members
    where role = 'student'
)

select
    members.class_id,
    members.school_id,
    members.course_code,
    members.role,
    members.person_id,
    members.grade,
    case when members.role = 'student' then members.grade else coalesce(taught.grade, members.grade) end as scope_grade
from members
left join class_grades as taught on members.class_id = taught.class_id and members.role = 'teacher'
