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
    select
        person_id,
        grade,
        school_id,
        course_id,
        term_id,
        class_id,
        category_id,
        counted_points,
        max_points,
        basis,
        is_counted,
        is_missing,
        is_exempt
    from {{ ref('fct_result') }}
    where is_in_class and counts_as_class and school_id is not null and term_id is not null
),

students_with_results as (
    select
        person_id,
        school_id,
        course_id,
        term_id,
        min(grade) as grade,
        sum(case when is_exempt then 0 else 1 end) as results,
        sum(case when is_missing and not is_exempt then 1 else 0 end) as missing,
        sum(case when is_counted then 1 else 0 end) as counted
    from results
    group by person_id, school_id, course_id, term_id
),

-- A percent needs three results, which most students do not have.
counted as (
    select results.*
    from results
    inner join students_with_results as students
        on
            results.person_id = students.person_id
            and results.school_id = students.school_id
            and results.course_id = students.course_id
            and results.term_id = students.term_id
    where results.is_counted and students.counted >= 3
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

-- Who was in the course, and who has results there: a student stands in both, or in one of them.
students as (
    select
        person_id,
        school_id,
        course_id,
        term_id,
        min(grade) as grade,
        max(percent) as percent,
        max(basis) as basis,
        max(results) as results,
        max(missing) as missing
    from (
        select
            person_id,
            school_id,
            course_id,
            term_id,
            grade,
            cast(null as {{ type_of('number') }}) as percent,
            cast(null as {{ type_of('text') }}) as basis,
            0 as results,
            0 as missing
        from members
        union all
        select
            its.person_id,
            its.school_id,
            its.course_id,
            its.term_id,
            its.grade,
            percents.percent,
            percents.basis,
            its.results,
            its.missing
        from students_with_results as its
        left join percents
            on
                its.person_id = percents.person_id
                and its.school_id = percents.school_id
                and its.course_id = percents.course_id
                and its.term_id = percents.term_id
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
        count(students.percent) as n,
        {{ number('avg(students.percent)') }} as mean_percent,
        {{ median('students.percent') }} as median_percent,
        {{ number('100.0 * sum(students.missing) / nullif(sum(students.results), 0)') }} as missing_rate,
        case when min(students.basis) = max(students.basis) then min(students.basis) when min(students.basis) is not null then 'mixed' end as basis
    from students
    inner join {{ ref('person_demographic') }} as demographics on students.person_id = demographics.person_id
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
