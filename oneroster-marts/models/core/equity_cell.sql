-- Beside the worklist, and after it: nothing here goes back into the rule.
with students as (
    select
        students.person_id,
        students.school_id,
        students.grade,
        case when worklist.status in ('new', 'still') then 1 else 0 end as is_flagged,
        case when worklist.status = 'cannot say' then 1 else 0 end as is_not_judged
    from {{ ref('worklist_student') }} as students
    left join {{ ref('worklist') }} as worklist
        on students.person_id = worklist.student_id and students.school_id = worklist.school_id
    where students.as_of = {{ today() }}
)

select
    students.school_id,
    students.grade,
    demographics.demographic,
    demographics.value,
    count(*) as students,
    cast(sum(students.is_flagged) as {{ type_of('whole') }}) as flagged,
    cast(sum(students.is_not_judged) as {{ type_of('whole') }}) as not_judged
from students
inner join {{ ref('person_demographic') }} as demographics on students.person_id = demographics.person_id
group by students.school_id, students.grade, demographics.demographic, demographics.value
