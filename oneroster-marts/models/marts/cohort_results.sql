with members as (
    select
        enrollments.person_id,
        enrollments.grade,
        classes.school_id,
        coalesce(classes.course_id, 'none') as course_id,
        terms.term_id
    from {{ ref('bridge_class_term') }} as terms
    inner join {{ ref('dim_class') }} as classes on terms.class_id = classes.class_id
    inner join {{ ref('fct_enrollment') }} as enrollments on terms.class_id = enrollments.class_id
    where
        enrollments.role = 'student'
        and classes.counts_as_class
        and classes.school_id is not null
        and (terms.end_date is null or enrollments.begin_date < terms.end_date)
        and (enrollments.end_date is null or terms.begin_date is null or enrollments.end_date > terms.begin_date)
        and (enrollments.end_date is null or enrollments.end_date > enrollments.begin_date)
),

results as (
    select *
    from {{ ref('fct_result') }}
    where is_in_class and counts_as_class and school_id is not null and term_id is not null
),

-- A percent needs three results, which most do not have: percents are made of the others only.
enough as (
    select
        person_id,
        school_id,
        course_id,
        term_id
    from results
    where is_counted
    group by person_id, school_id, course_id, term_id
    having count(*) >= 3
),

counted as (
    select results.*
    from results
    inner join enough
        on
            results.person_id = enough.person_id
            and results.school_id = enough.school_id
            and results.course_id = enough.course_id
            and results.term_id = enough.term_id
    where results.is_counted
),

by_class as (
    {{ percents_from('counted', ['person_id', 'school_id', 'course_id', 'term_id', 'class_id']) }}
),

-- A student who changed sections has results in several classes of the course.
percents as (
    select
        person_id,
        school_id,
        course_id,
        term_id,
        {{ number('sum(percent * results) / sum(results)') }} as percent,
        case when min(basis) = max(basis) then min(basis) else 'mixed' end as basis
    from by_class
    group by person_id, school_id, course_id, term_id
),

due as (
    select
        person_id,
        school_id,
        course_id,
        term_id,
        count(*) as results,
        sum(case when is_missing then 1 else 0 end) as missing
    from results
    where not is_exempt
    group by person_id, school_id, course_id, term_id
),

students as (
    select
        person_id,
        school_id,
        course_id,
        term_id,
        min(grade) as grade
    from (
        select person_id, school_id, course_id, term_id, grade from members
        union all
        select person_id, school_id, course_id, term_id, grade from results
    ) as either
    group by person_id, school_id, course_id, term_id
),

-- Numbers are put to students before each of these stands for several groups.
measured as (
    select
        students.person_id,
        students.school_id,
        students.grade,
        students.course_id,
        students.term_id,
        percents.percent,
        percents.basis,
        due.results,
        due.missing
    from students
    left join percents
        on
            students.person_id = percents.person_id
            and students.school_id = percents.school_id
            and students.course_id = percents.course_id
            and students.term_id = percents.term_id
    left join due
        on
            students.person_id = due.person_id
            and students.school_id = due.school_id
            and students.course_id = due.course_id
            and students.term_id = due.term_id
),

grouped as (
    select
        measured.school_id,
        measured.grade,
        measured.course_id,
        measured.term_id,
        demographics.demographic,
        demographics.value,
        count(*) as students,
        count(measured.percent) as n,
        {{ number('avg(measured.percent)') }} as mean_percent,
        {{ median('measured.percent') }} as median_percent,
        {{ number('100.0 * sum(measured.missing) / sum(measured.results)') }} as missing_rate,
        case when min(measured.basis) = max(measured.basis) then min(measured.basis) when min(measured.basis) is not null then 'mixed' end as basis
    from measured
    inner join {{ ref('person_demographic') }} as demographics on measured.person_id = demographics.person_id
    group by
        measured.school_id,
        measured.grade,
        measured.course_id,
        measured.term_id,
        demographics.demographic,
        demographics.value
)

select
    school_id,
    grade,
    course_id,
    term_id,
    demographic,
    value,
    students,
    n,
    mean_percent,
    median_percent,
    missing_rate,
    basis,
    false as suppressed
from grouped
