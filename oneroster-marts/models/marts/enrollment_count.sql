-- Each build makes the rows of its day anew, and keeps those of earlier days.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day', on_schema_change='fail') }}
with enrolled as (
    select
        {{ today() }} as day,
        school_id,
        class_id,
        person_id,
        grade,
        class_type,
        is_homeroom,
        counts_as_class
    from {{ ref('fct_enrollment') }}
    where role = 'student' and {{ is_current(today()) }}
),

class_sizes as (
    select
        day,
        class_id,
        count(distinct person_id) as size
    from enrolled
    group by day, class_id
),

by_grade as (
    select
        day,
        school_id,
        class_id,
        person_id,
        grade,
        class_type,
        is_homeroom,
        counts_as_class
    from enrolled
    union all
    select
        day,
        school_id,
        class_id,
        person_id,
        'all' as grade,
        class_type,
        is_homeroom,
        counts_as_class
    from enrolled
),

-- In the rows of a class type its classes are counted, homerooms, too; in the totals only what counts as a class.
by_type as (
    select
        day,
        school_id,
        class_id,
        person_id,
        grade,
        class_type,
        is_homeroom,
        true as is_seat
    from by_grade
    union all
    select
        day,
        school_id,
        class_id,
        person_id,
        grade,
        'all' as class_type,
        is_homeroom,
        counts_as_class as is_seat
    from by_grade
),

counts as (
    select
        day,
        school_id,
        grade,
        class_type,
        count(distinct person_id) as students,
        count(distinct case when is_homeroom then person_id end) as homeroom_students
    from by_type
    group by day, school_id, grade, class_type
),

seats as (
    select
        day,
        school_id,
        grade,
        class_type,
        class_id,
        count(distinct person_id) as seats
    from by_type
    where is_seat
    group by day, school_id, grade, class_type, class_id
),

classes as (
    select
        seats.day,
        seats.school_id,
        seats.grade,
        seats.class_type,
        sum(seats.seats) as seats,
        count(*) as classes,
        {{ number('avg(class_sizes.size)') }} as mean_class_size,
        {{ percentile(0.9, 'class_sizes.size') }} as p90_class_size
    from seats
    inner join class_sizes on seats.day = class_sizes.day and seats.class_id = class_sizes.class_id
    group by seats.day, seats.school_id, seats.grade, seats.class_type
)

select
    counts.day,
    counts.school_id,
    counts.grade,
    counts.class_type,
    counts.students,
    cast(coalesce(classes.seats, 0) as {{ type_of('whole') }}) as seats,
    coalesce(classes.classes, 0) as classes,
    classes.mean_class_size,
    classes.p90_class_size,
    counts.homeroom_students
from counts
left join classes
    on
        counts.day = classes.day
        and counts.school_id = classes.school_id
        and counts.grade = classes.grade
        and counts.class_type = classes.class_type
