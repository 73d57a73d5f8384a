with judged as (
    select
        as_of,
        person_id,
        school_id,
        max(case when is_counted and is_latest then 1 else 0 end) as has_latest
    from {{ ref('worklist_result') }}
    group by as_of, person_id, school_id
),

flagged as (
    select
        as_of,
        person_id,
        school_id,
        case
            when count(distinct family) > 1 or count(*) >= 3 then 3
            when count(*) = 2 or max(case when is_core and rule_id = 'course.failing' then 1 else 0 end) = 1 then 2
            else 1
        end as tier,
        {{ joined('rule_id', 'case when is_core then 0 else 1 end, rule_id, value, class_id') }} as flags,
        {{ joined('reason', 'case when is_core then 0 else 1 end, rule_id, value, class_id', ' ') }} as reasons
    from {{ ref('worklist_flag') }}
    group by as_of, person_id, school_id
),

-- The one as of today, with what was found a week before.
students as (
    select
        students.person_id,
        students.school_id,
        students.first_day,
        students.is_new_at_school,
        students.is_waiting,
        coalesce(judged.has_latest, 0) = 1 as has_latest,
        now.tier,
        now.flags,
        now.reasons,
        before.flags as flags_before
    from {{ ref('worklist_student') }} as students
    left join judged
        on
            students.as_of = judged.as_of
            and students.person_id = judged.person_id
            and students.school_id = judged.school_id
    left join flagged as now
        on
            students.as_of = now.as_of
            and students.person_id = now.person_id
            and students.school_id = now.school_id
    left join flagged as before
        on
            {{ plus_days('students.as_of', -7) }} = before.as_of
            and students.person_id = before.person_id
            and students.school_id = before.school_id
    where students.as_of = {{ today() }}
),

listed as (
    select
        students.*,
        case
            when flags is not null and flags_before is not null then 'still'
            when flags is not null then 'new'
            when is_waiting or not has_latest then 'cannot say'
            when flags_before is not null then 'resolved'
        end as status
    from students
),

said as (
    select
        listed.*,
        case
            when status = 'resolved' then 'No flag today; a week ago: ' || replace(flags_before, ',', ', ') || '.'
            when is_waiting and status = 'cannot say' and not is_new_at_school then 'The work is not judged in the first days at the school.'
            when status = 'cannot say' and not is_waiting then 'No graded result {{ in_the_window() }}.'
            else reasons
        end as what,
        case when is_new_at_school then 'New at the school since ' || cast(first_day as {{ type_of('text') }}) || '.' end as since
    from listed
    where status is not null
)

select
    person_id as student_id,
    school_id,
    status,
    tier,
    flags,
    case when what is null then since when since is null then what else what || ' ' || since end as reasons
from said
