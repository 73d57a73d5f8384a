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

by_class as (
    {{ percents_from('(select * from results where is_counted)', ['person_id', 'school_id', 'course_id', 'term_id', 'class_id']) }}
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
    having sum(results) >= 3
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

grouped as (
    select
        students.school_id,
        students.grade,
        students.course_id,
        students.term_id,
        demographics.demographic,
        demographics.value,
        count(*) as students,
        count(percents.percent) as n,
        {{ number('avg(percents.percent)') }} as mean_percent,
        {{ median('percents.percent') }} as median_percent,
        {{ number('100.0 * sum(due.missing) / sum(due.results)') }} as missing_rate,
        case when min(percents.basis) = max(percents.basis) then min(percents.basis) when min(percents.basis) is not null then 'mixed' end as basis
    from students
    inner join {{ ref('person_demographic') }} as demographics on students.person_id = demographics.person_id
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
    group by
        students.school_id,
        students.grade,
        students.course_id,
        students.term_id,
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
