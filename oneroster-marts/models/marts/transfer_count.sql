-- A withdrawal has no first day: it stands in the week of its last one.
select
    {{ monday('coalesce(first_day, last_day)') }} as week,
    from_school_id,
    to_school_id,
    kind,
    count(distinct student_id) as students,
    false as suppressed
from {{ ref('transfer') }}
group by {{ monday('coalesce(first_day, last_day)') }}, from_school_id, to_school_id, kind
