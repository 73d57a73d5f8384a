-- Rules of section 5.5 of the design: each flag says what was found, in numbers and in a sentence. Work is not judged while a
-- student is new at the school; attendance is.
{%- set keys = ['as_of', 'person_id', 'school_id', 'class_id'] %}
{%- set text = type_of('text') %}
with judged as (
    select results.*
    from {{ ref('worklist_result') }} as results
    inner join {{ ref('worklist_student') }} as students
        on
            results.as_of = students.as_of
            and results.person_id = students.person_id
            and results.school_id = students.school_id
    where not students.is_waiting
),

to_date as (
    {{ percents_from('(select * from judged where is_counted)', keys) }}
),

latest as (
    {{ percents_from('(select * from judged where is_counted and is_latest)', keys) }}
),

before as (
    {{ percents_from('(select * from judged where is_counted and has_window and not is_latest)', keys) }}
),

due as (
    select
        {{ keys | join(', ') }},
        count(*) as results,
        cast(sum(case when is_missing then 1 else 0 end) as {{ type_of('whole') }}) as missing
    from judged
    where is_latest and not is_exempt
    group by {{ keys | join(', ') }}
),

subjects as (
    select
        courses.course_id,
        max(words.subject) as subject
    from {{ ref('dim_course') }} as courses
    inner join {{ ref('subject_core') }} as words
        on upper(trim(courses.subject)) = words.word or left(courses.subject_code, 2) = words.word
    group by courses.course_id
),

classes as (
    select
        classes.class_id,
        coalesce(courses.title, classes.title, classes.class_id) as title,
        subjects.subject is not null as is_core
    from {{ ref('dim_class') }} as classes
    left join {{ ref('dim_course') }} as courses on classes.course_id = courses.course_id
    left join subjects on classes.course_id = subjects.course_id
),

credits as (
    select
        students.as_of,
        students.person_id,
        students.school_id,
        {{ number('sum(grades.earned_share)') }} as earned,
        {{ limit_of('ontrack_credits') }} * count(distinct grades.term_id) as expected,
        sum(case when not grades.passes and classes.is_core then 1 else 0 end) as failed_core
    from {{ ref('worklist_student') }} as students
    inner join {{ ref('final_grade') }} as grades on students.person_id = grades.person_id
    inner join {{ ref('dim_session') }} as terms on grades.term_id = terms.session_id
    left join classes on grades.class_id = classes.class_id
    where
        students.grade = '09'
        and terms.begin_date >= students.year_begin
        and terms.end_date <= students.as_of
        and lower(coalesce(terms.title, '')) not like '%summer%'
    group by students.as_of, students.person_id, students.school_id
),

found as (
    select
        {{ keys | join(', ') }},
        'course.failing' as rule_id,
        'C' as family,
        percent as value,
        {{ number(limit_of('failing_percent')) }} as limit_value,
        {{ said('percent') }} || ' % to date; ' || cast(results as {{ text }}) || ' results.' as said
    from to_date
    where results >= {{ limit_of('least_results') }} and {{ is_below('percent', limit_of('failing_percent')) }}
    union all
    select
        {%- for key in keys %}
        latest.{{ key }},
        {%- endfor %}
        'course.slipping' as rule_id,
        'C' as family,
        latest.percent as value,
        {{ number('before.percent - ' ~ limit_of('slipping_points')) }} as limit_value,
        {{ said('latest.percent') }} || ' % {{ in_the_window() }}, ' || {{ said('before.percent') }} || ' % before; '
        || cast(latest.results as {{ text }}) || ' results.' as said
    from latest
    inner join before
        on
            {%- for key in keys %}
            latest.{{ key }} = before.{{ key }}{{ ' and' if not loop.last }}
            {%- endfor %}
    where
        latest.results >= {{ limit_of('least_results') }}
        and before.results >= {{ limit_of('least_results') }}
        and not {{ is_below('before.percent - latest.percent', limit_of('slipping_points')) }}
    union all
    select
        {{ keys | join(', ') }},
        'work.missing' as rule_id,
        'C' as family,
        {{ number('missing') }} as value,
        {{ number(limit_of('missing_results')) }} as limit_value,
        cast(missing as {{ text }}) || ' of ' || cast(results as {{ text }}) || ' due {{ in_the_window() }} missing.' as said
    from due
    where
        missing >= {{ limit_of('missing_results') }}
        or (results >= {{ limit_of('missing_least_due') }} and 100 * missing >= {{ limit_of('missing_percent') }} * results)
    union all
    select
        as_of,
        person_id,
        school_id,
        'all' as class_id,
        'attendance.chronic' as rule_id,
        'A' as family,
        percent as value,
        {{ number(limit_of('attendance_percent')) }} as limit_value,
        {{ said('percent') }} || ' % of ' || cast(cast(days as {{ type_of('whole') }}) as {{ text }}) || ' days this year.' as said
    from {{ ref('worklist_attendance') }}
    where days >= {{ limit_of('attendance_least_days') }} and {{ is_below('percent', limit_of('attendance_percent')) }}
    union all
    select
        as_of,
        person_id,
        school_id,
        'all' as class_id,
        'attendance.drift' as rule_id,
        'A' as family,
        latest_percent as value,
        {{ number('percent_before - ' ~ limit_of('drift_points')) }} as limit_value,
        {{ said('latest_percent') }} || ' % of the last ' || cast(cast(latest_days as {{ type_of('whole') }}) as {{ text }}) || ' days, ' || {{ said('percent_before') }}
        || ' % before.' as said
    from {{ ref('worklist_attendance') }}
    where
        latest_days >= {{ limit_of('drift_days') }}
        and days_before >= {{ limit_of('attendance_least_days') }}
        and not {{ is_below('percent_before - latest_percent', limit_of('drift_points')) }}
    union all
    select
        as_of,
        person_id,
        school_id,
        'all' as class_id,
        'ontrack.credits' as rule_id,
        'C' as family,
        earned as value,
        {{ number('expected') }} as limit_value,
        {{ said('earned') }} || ' semester credits of ' || {{ said('expected') }} || ', ' || cast(cast(failed_core as {{ type_of('whole') }}) as {{ text }})
        || ' failed in core subjects.' as said
    from credits
    where {{ is_below('earned', 'expected') }} or failed_core > {{ limit_of('ontrack_failed_core') }}
)

select
    found.as_of,
    found.person_id,
    found.school_id,
    found.rule_id,
    found.class_id,
    found.family,
    found.value,
    found.limit_value,
    coalesce(classes.is_core, false) as is_core,
    case
        when found.class_id <> 'all' then coalesce(classes.title, found.class_id)
        when found.family = 'A' then 'Attendance'
        else 'Credits'
    end || ': ' || found.said as reason
from found
left join classes on found.class_id = classes.class_id
