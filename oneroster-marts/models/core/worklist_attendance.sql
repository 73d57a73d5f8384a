-- Days of all schools of the year, since it is the student who stays away. A day at two schools counts once.
with present as (
    select
        coalesce(persons.person_id, attendance.student_id) as person_id,
        attendance.day,
        avg(attendance.present) as present
    from {{ ref('input_attendance') }} as attendance
    left join {{ ref('dim_person') }} as persons on attendance.student_id = persons.user_id
    group by coalesce(persons.person_id, attendance.student_id), attendance.day
),

placed as (
    select
        students.as_of,
        students.person_id,
        students.school_id,
        present.present,
        row_number() over (
            partition by students.as_of, students.person_id, students.school_id order by present.day desc
        ) <= {{ limit_of('drift_days') }} as is_latest
    from {{ ref('worklist_student') }} as students
    inner join present
        on
            students.person_id = present.person_id
            and present.day >= students.year_begin
            and present.day <= students.as_of
)

select
    as_of,
    person_id,
    school_id,
    count(*) as days,
    {{ number('100 * avg(present)') }} as percent,
    sum(case when is_latest then 1 else 0 end) as latest_days,
    {{ number('100 * avg(case when is_latest then present end)') }} as latest_percent,
    sum(case when is_latest then 0 else 1 end) as days_before,
    {{ number('100 * avg(case when not is_latest then present end)') }} as percent_before
from placed
group by as_of, person_id, school_id
