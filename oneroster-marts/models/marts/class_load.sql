with members as (
    select distinct
        terms.class_id,
        terms.term_id,
        enrollments.role,
        enrollments.person_id
    from {{ ref('bridge_class_term') }} as terms
    inner join {{ ref('fct_enrollment') }} as enrollments on terms.class_id = enrollments.class_id
    where
        enrollments.role in ('student', 'teacher')
        and {{ is_current('terms.described_on', 'enrollments.begin_date', 'enrollments.end_date') }}
),

counts as (
    select
        class_id,
        term_id,
        sum(case when role = 'student' then 1 else 0 end) as students,
        sum(case when role = 'teacher' then 1 else 0 end) as teachers
    from members
    group by class_id, term_id
),

loads as (
    select
        terms.class_id,
        terms.term_id,
        classes.school_id,
        classes.course_id,
        coalesce(counts.students, 0) as students,
        coalesce(counts.teachers, 0) as teachers
    from {{ ref('bridge_class_term') }} as terms
    inner join {{ ref('dim_class') }} as classes on terms.class_id = classes.class_id
    left join counts on terms.class_id = counts.class_id and terms.term_id = counts.term_id
    where classes.counts_as_class and classes.gone_on is null
),

courses as (
    select
        course_id,
        term_id,
        {{ median('students') }} as course_median_students
    from loads
    where course_id is not null
    group by course_id, term_id
)

select
    loads.class_id,
    loads.term_id,
    loads.school_id,
    loads.course_id,
    cast(loads.students as {{ type_of('whole') }}) as students,
    cast(loads.teachers as {{ type_of('whole') }}) as teachers,
    cast(greatest(loads.teachers - 1, 0) as {{ type_of('whole') }}) as co_teachers,
    courses.course_median_students
from loads
left join courses on loads.course_id = courses.course_id and loads.term_id = courses.term_id
