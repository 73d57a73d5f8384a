-- Cells of both marts that show demographics, so that what is hidden in one cannot be read off the other. The order in which further
-- cells are hidden is one for a school and demographic: fewest students first.
with sizes as (
    select
        enrollments.school_id,
        demographics.demographic,
        demographics.value,
        count(distinct enrollments.person_id) as students
    from {{ ref('fct_enrollment') }} as enrollments
    inner join {{ ref('person_demographic') }} as demographics on enrollments.person_id = demographics.person_id
    where enrollments.role = 'student' and enrollments.school_id is not null and demographics.demographic <> 'all'
    group by enrollments.school_id, demographics.demographic, demographics.value
),

cells as (
    select
        'cohort_results' as mart,
        school_id,
        grade,
        course_id,
        term_id,
        demographic,
        value,
        students,
        n
    from {{ ref('cohort_results') }}
    union all
    select
        'demographic_results' as mart,
        school_id,
        grade,
        'all' as course_id,
        'all' as term_id,
        demographic,
        value,
        students,
        n
    from {{ ref('demographic_results') }}
)

select
    cells.mart,
    cells.school_id,
    cells.grade,
    cells.course_id,
    cells.term_id,
    cells.demographic,
    cells.value,
    cells.students,
    cells.n,
    coalesce(sizes.students, 0) as school_students
from cells
left join sizes
    on
        cells.school_id = sizes.school_id
        and cells.demographic = sizes.demographic
        and cells.value = sizes.value
where cells.demographic <> 'all'
