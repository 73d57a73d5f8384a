{%- set left = adapter.quote(source_name('left')) %}
{%- set least = var('small_cell', 10) %}
{{ config(materialized='view') }}
-- Who left the school left all courses: where a course of few students and another one make up a third (French, Spanish, and mathematics, which
-- all take), the third less the other is how many of these few left. So of the other it is not said who left, nor who is still there or
-- completed it, which would tell. Such courses are known by their numbers of students. Who dropped one of them did not drop the third.
with told as (
    select distinct
        other.school_id,
        other.course_id,
        other.term_id
    from {{ ref('course_completion') }} as few
    inner join {{ ref('course_completion') }} as other
        on few.school_id = other.school_id and few.term_id = other.term_id and few.course_id <> other.course_id
    inner join {{ ref('course_completion') }} as whole
        on
            few.school_id = whole.school_id
            and few.term_id = whole.term_id
            and few.started + other.started = whole.started
    where few.started < {{ least }} and other.started >= {{ least }}
)

select
    its.school_id,
    its.course_id,
    its.term_id,
    its.started,
    case when told.course_id is null then its.completed end as completed,
    its.dropped,
    case when told.course_id is null then its.{{ left }} end as {{ left }},
    case when told.course_id is null then its.in_progress end as in_progress,
    its.graded,
    its.passed,
    its.pass_rate
from {{ ref('course_completion') }} as its
left join told on its.school_id = told.school_id and its.course_id = told.course_id and its.term_id = told.term_id
