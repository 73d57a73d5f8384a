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

either as (
    select * from students
    union all
    select
        school_id,
        week,
        'all' as grade,
        present,
        days,
        percent,
        due,
        missing,
        is_flagged
    from students
)

select
    school_id,
    grade,
    week,
    count(*) as enrolled,
    {{ number('100 * sum(present) / sum(days)') }} as attendance_rate,
    {{ number('avg(percent)') }} as mean_percent,
    {{ number('100.0 * sum(missing) / nullif(sum(due), 0)') }} as missing_rate,
    cast(
        case when count(days) + count(percent) + coalesce(sum(due), 0) + sum(is_flagged) > 0 then sum(is_flagged) end as {{ type_of('whole') }}
    ) as on_worklist, -- where there is nothing to judge it is no 0
    count(days) as with_attendance,
    count(percent) as with_percent,
    sum(case when due > 0 then 1 else 0 end) as with_work_due
from either
group by school_id, grade, week
