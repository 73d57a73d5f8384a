with spans as (
    select
        enrollments.person_id,
        enrollments.class_id,
        classes.school_id,
        coalesce(classes.course_id, 'none') as course_id,
        terms.term_id,
        terms.end_date as term_end,
        coalesce(enrollments.end_date, cast('9999-12-31' as date)) as end_date
    from {{ ref('bridge_class_term') }} as terms
    inner join {{ ref('dim_class') }} as classes on terms.class_id = classes.class_id
    inner join {{ ref('fct_enrollment') }} as enrollments on terms.class_id = enrollments.class_id
    where
        enrollments.role = 'student'
        and classes.counts_as_class
        and classes.school_id is not null
        and enrollments.begin_date <= {{ today() }}
        and (terms.begin_date is null or terms.begin_date <= {{ today() }})
        and (terms.end_date is null or enrollments.begin_date < terms.end_date)
        and (enrollments.end_date is null or terms.begin_date is null or enrollments.end_date > terms.begin_date)
        and (enrollments.end_date is null or enrollments.end_date > enrollments.begin_date)
),

-- A change of section within the course is no drop: what counts is the last day in any of its classes.
students as (
    select
        person_id,
        school_id,
        course_id,
        term_id,
        max(term_end) as term_end,
        max(end_date) as end_date
    from spans
    group by person_id, school_id, course_id, term_id
),

grades as (
    select
        spans.person_id,
        spans.school_id,
        spans.course_id,
        spans.term_id,
        max(case when grades.passes then 1 else 0 end) as passed
    from spans
    inner join {{ ref('final_grade') }} as grades
        on
            spans.person_id = grades.person_id
            and spans.class_id = grades.class_id
            and spans.term_id = grades.term_id
    group by spans.person_id, spans.school_id, spans.course_id, spans.term_id
),

-- Whoever ends in the course within a week of the last day at the school has left.
stays as (
    select distinct
        students.person_id,
        students.school_id,
        students.course_id,
        students.term_id
    from students
    inner join {{ ref('fct_spell') }} as spells
        on students.person_id = spells.person_id and students.school_id = spells.school_id
    where
        spells.begin_date <= students.end_date
        and (
            spells.end_date is null
            or {{ days_from('students.end_date', 'spells.end_date') }} > 7
            or (spells.end_date > students.end_date and spells.end_date >= students.term_end)
        )
        and students.end_date < cast('9999-12-31' as date)
),

outcomes as (
    select
        students.school_id,
        students.course_id,
        students.term_id,
        case
            when students.end_date > {{ today() }} and (students.term_end is null or students.term_end > {{ today() }}) then 'in_progress'
            when students.end_date >= students.term_end then 'completed'
            when stays.person_id is not null then 'dropped'
            else 'left'
        end as outcome,
        grades.passed
    from students
    left join stays
        on
            students.person_id = stays.person_id
            and students.school_id = stays.school_id
            and students.course_id = stays.course_id
            and students.term_id = stays.term_id
    left join grades
        on
            students.person_id = grades.person_id
            and students.school_id = grades.school_id
            and students.course_id = grades.course_id
            and students.term_id = grades.term_id
),

counts as (
    select
        school_id,
        course_id,
        term_id,
        count(*) as started,
        cast(sum(case when outcome = 'completed' then 1 else 0 end) as {{ type_of('whole') }}) as completed,
        cast(sum(case when outcome = 'dropped' then 1 else 0 end) as {{ type_of('whole') }}) as dropped,
        cast(sum(case when outcome = 'left' then 1 else 0 end) as {{ type_of('whole') }}) as {{ adapter.quote(source_name('left')) }},
        cast(sum(case when outcome = 'in_progress' then 1 else 0 end) as {{ type_of('whole') }}) as in_progress,
        count(passed) as graded,
        cast(coalesce(sum(passed), 0) as {{ type_of('whole') }}) as passed
    from outcomes
    group by school_id, course_id, term_id
)

select
    counts.*,
    {{ number('100.0 * counts.passed / nullif(counts.graded, 0)') }} as pass_rate,
    false as suppressed
from counts
