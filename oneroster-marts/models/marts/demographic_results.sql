with enrolled as (
    select
        person_id,
        school_id,
        class_id,
        grade,
        counts_as_class
    from {{ ref('fct_enrollment') }}
    where role = 'student' and school_id is not null and {{ is_current(today()) }}
),

students as (
    select
        person_id,
        school_id,
        min(grade) as grade
    from enrolled
    group by person_id, school_id
),

classes_of_today as (
    select distinct
        person_id,
        school_id,
        class_id
    from enrolled
    where counts_as_class
),

results as (
    select
        results.*,
        classes.school_id as school_of_today
    from {{ ref('fct_result') }} as results
    inner join classes_of_today as classes on results.person_id = classes.person_id and results.class_id = classes.class_id
    where results.is_in_class and (results.window_date is null or results.window_date <= {{ today() }})
),

class_percents as (
    {{ percents_from('(select * from results where is_counted)', ['person_id', 'school_of_today', 'class_id']) }}
),

percents as (
    select
        person_id,
        school_of_today as school_id,
        {{ number('avg(percent)') }} as percent
    from class_percents
    where results >= 3
    group by person_id, school_of_today
),

due as (
    select
        person_id,
        school_of_today as school_id,
        count(*) as results,
        sum(case when is_missing then 1 else 0 end) as missing
    from results
    where not is_exempt
    group by person_id, school_of_today
)

select
    students.school_id,
    students.grade,
    demographics.demographic,
    demographics.value,
    count(*) as students,
    count(percents.percent) as n,
    {{ number('avg(percents.percent)') }} as mean_percent,
    {{ number('100 - 100.0 * sum(due.missing) / sum(due.results)') }} as engagement,
    false as suppressed
from students
inner join {{ ref('person_demographic') }} as demographics on students.person_id = demographics.person_id
left join percents on students.person_id = percents.person_id and students.school_id = percents.school_id
left join due on students.person_id = due.person_id and students.school_id = due.school_id
group by students.school_id, students.grade, demographics.demographic, demographics.value
