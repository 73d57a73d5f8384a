with teachers as (
    select
        enrollments.user_id as teacher_id,
        terms.term_id,
        classes.class_id,
        classes.school_id,
        classes.course_id,
        terms.described_on,
        min(enrollments.begin_date) as begin_date
    from {{ ref('bridge_class_term') }} as terms
    inner join {{ ref('dim_class') }} as classes on terms.class_id = classes.class_id
    inner join {{ ref('fct_enrollment') }} as enrollments on terms.class_id = enrollments.class_id
    where
        enrollments.role = 'teacher'
        and classes.counts_as_class
        and classes.gone_on is null
        and {{ is_current('terms.described_on', 'enrollments.begin_date', 'enrollments.end_date') }}
    group by
        enrollments.user_id,
        terms.term_id,
        classes.class_id,
        classes.school_id,
        classes.course_id,
        terms.described_on
),

shares as (
    select
        class_id,
        term_id,
        count(distinct teacher_id) as teachers
    from teachers
    group by class_id, term_id
),

sections as (
    select
        teachers.teacher_id,
        teachers.term_id,
        teachers.school_id,
        count(*) as sections,
        {{ number('sum(1.0 / shares.teachers)') }} as sections_shared,
        count(distinct teachers.course_id) as preps
    from teachers
    inner join shares on teachers.class_id = shares.class_id and teachers.term_id = shares.term_id
    group by teachers.teacher_id, teachers.term_id, teachers.school_id
),

-- Of a class once, however many teachers and terms it has.
pupils as (
    select distinct
        described.class_id,
        described.described_on,
        enrollments.person_id
    from (select distinct teachers.class_id, teachers.described_on from teachers) as described
    inner join {{ ref('fct_enrollment') }} as enrollments on described.class_id = enrollments.class_id
    where
        enrollments.role = 'student'
        and {{ is_current('described.described_on', 'enrollments.begin_date', 'enrollments.end_date') }}
),

students as (
    select
        teachers.teacher_id,
        teachers.term_id,
        teachers.school_id,
        count(distinct pupils.person_id) as students,
        count(*) as seats
    from teachers
    inner join pupils on teachers.class_id = pupils.class_id and teachers.described_on = pupils.described_on
    group by teachers.teacher_id, teachers.term_id, teachers.school_id
),

-- What was due before a teacher began is not that teacher's.
grading as (
    select
        teachers.teacher_id,
        teachers.term_id,
        teachers.school_id,
        count(*) as gradable_results,
        sum(case when {{ is_graded('results') }} then 1 else 0 end) as results_graded,
        {{ median('case when ' ~ is_graded('results') ~ ' then ' ~ days_from('items.due_date', 'results.score_date') ~ ' end') }}
            as median_days_to_grade
    from teachers
    inner join {{ ref('line_item_term') }} as in_term
        on teachers.class_id = in_term.class_id and teachers.term_id = in_term.term_id
    inner join {{ ref('stg_oneroster__line_items') }} as items on in_term.line_item_id = items.line_item_id
    inner join {{ ref('stg_oneroster__results') }} as results on items.line_item_id = results.line_item_id
    where
        items.due_date <= {{ today() }}
        and items.due_date >= teachers.begin_date
        and not {{ is_exempt('results') }}
    group by teachers.teacher_id, teachers.term_id, teachers.school_id
),

fte as (
    select
        teacher_id,
        school_id,
        sum(fte) as fte
    from {{ ref('input_staff_fte') }}
    group by teacher_id, school_id
)

select
    sections.teacher_id,
    sections.term_id,
    sections.school_id,
    sections.sections,
    sections.sections_shared,
    sections.preps,
    coalesce(students.students, 0) as students,
    coalesce(students.seats, 0) as seats,
    coalesce(grading.gradable_results, 0) as gradable_results,
    cast(coalesce(grading.results_graded, 0) as {{ type_of('whole') }}) as results_graded,
    grading.median_days_to_grade,
    fte.fte,
    {{ 'true' if is_given('staff_fte') else 'false' }} as fte_given
from sections
left join students
    on
        sections.teacher_id = students.teacher_id
        and sections.term_id = students.term_id
        and sections.school_id = students.school_id
left join grading
    on
        sections.teacher_id = grading.teacher_id
        and sections.term_id = grading.term_id
        and sections.school_id = grading.school_id
left join fte on sections.teacher_id = fte.teacher_id and sections.school_id = fte.school_id
