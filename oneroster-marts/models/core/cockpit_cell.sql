with present as (
    select
        attendance.school_id,
        {{ monday('attendance.day') }} as week,
        coalesce(persons.person_id, attendance.student_id) as person_id,
        sum(attendance.present) as present,
        count(*) as days
    from {{ ref('input_attendance') }} as attendance
    left join {{ ref('dim_person') }} as persons on attendance.student_id = persons.user_id
    where attendance.day <= {{ today() }}
    group by attendance.school_id, {{ monday('attendance.day') }}, coalesce(persons.person_id, attendance.student_id)
),

-- What the rules of the worklist find as of today and a week ago; of other weeks it is not known.
asked as (
    {{ rule_days() }}
),

flagged as (
    select distinct
        school_id,
        {{ monday('as_of') }} as week,
        person_id
    from {{ ref('worklist_flag') }}
),

students as (
    select
        students.school_id,
        students.week,
        students.grade,
        present.present,
        present.days,
        results.percent,
        results.due,
        results.missing,
        case
            when asked.as_of is null then null
            when flagged.person_id is not null then 1
            else 0
        end as is_flagged
    from {{ ref('cockpit_student') }} as students
    left join present
        on
            students.school_id = present.school_id
            and students.week = present.week
            and students.person_id = present.person_id
    left join {{ ref('cockpit_result') }} as results
        on
            students.school_id = results.school_id
            and students.week = results.week
            and students.person_id = results.person_id
    left join asked on students.week = {{ monday('asked.as_of') }}
    left join flagged
        on
            students.school_id = flagged.school_id
            and students.week = flagged.week
            and students.person_id = flagged.person_id
),

-- Sums of the grades, so that the school's are added up from them.
grades as (
    select
        school_id,
        grade,
        week,
        count(*) as enrolled,
        sum(present) as present,
        sum(days) as days,
        count(days) as with_attendance,
        sum(percent) as percents,
        count(percent) as with_percent,
        sum(due) as due,
        sum(missing) as missing,
        sum(case when due > 0 then 1 else 0 end) as with_work_due,
        sum(is_flagged) as flagged
    from students
    group by school_id, grade, week
),

either as (
    select * from grades
    union all
    select
        school_id,
        'all' as grade,
        week,
        sum(enrolled) as enrolled,
        sum(present) as present,
        sum(days) as days,
        sum(with_attendance) as with_attendance,
        sum(percents) as percents,
        sum(with_percent) as with_percent,
        sum(due) as due,
        sum(missing) as missing,
        sum(with_work_due) as with_work_due,
        sum(flagged) as flagged
    from grades
    group by school_id, week
)

select
    school_id,
    grade,
    week,
    cast(enrolled as {{ type_of('whole') }}) as enrolled,
    {{ number('100 * present / days') }} as attendance_rate,
    {{ number('percents / nullif(with_percent, 0)') }} as mean_percent,
    {{ number('100.0 * missing / nullif(due, 0)') }} as missing_rate,
    cast(
        case when with_attendance + with_percent + coalesce(due, 0) + flagged > 0 then flagged end as {{ type_of('whole') }}
    ) as on_worklist, -- where there is nothing to judge it is no 0
    cast(with_attendance as {{ type_of('whole') }}) as with_attendance,
    cast(with_percent as {{ type_of('whole') }}) as with_percent,
    cast(with_work_due as {{ type_of('whole') }}) as with_work_due
from either
