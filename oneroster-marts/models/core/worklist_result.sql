-- A class that the student has left, and the school before, count nowhere.
with days as (
    {{ rule_days() }}
),

current_classes as (
    select distinct
        days.as_of,
        enrollments.person_id,
        enrollments.school_id,
        enrollments.class_id
    from days
    inner join {{ ref('fct_enrollment') }} as enrollments
        on {{ is_current('days.as_of', 'enrollments.begin_date', 'enrollments.end_date') }}
    where
        enrollments.role = 'student'
        and enrollments.school_id is not null
        and enrollments.counts_as_class
        and enrollments.class_id in (select graded.class_id from {{ ref('fct_result') }} as graded)
)

select
    classes.as_of,
    classes.person_id,
    classes.school_id,
    classes.class_id,
    results.category_id,
    coalesce(results.window_date > {{ plus_days('classes.as_of', -limit_of('window_days')) }}, false) as is_latest,
    results.window_date is not null as has_window,
    results.is_counted,
    results.counted_points,
    results.max_points,
    results.basis,
    results.is_exempt,
    results.is_missing
    and (results.window_date < classes.as_of or lower(coalesce(results.score_status, '')) <> 'not submitted') as is_missing
from current_classes as classes
inner join {{ ref('fct_result') }} as results
    on classes.person_id = results.person_id and classes.class_id = results.class_id
where results.is_in_class and (results.window_date is null or results.window_date <= classes.as_of)
