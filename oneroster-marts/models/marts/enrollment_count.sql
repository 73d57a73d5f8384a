-- Each build makes the rows of its day anew, and keeps those of earlier days.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day', on_schema_change='fail') }}
with members as (
    select distinct
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
        class_id,
        count(distinct person_id) as size
    from members
    group by class_id
),

-- Persons and classes are put together before totals are made of them, since a student has many classes.
persons as (
    select distinct
        school_id,
        person_id,
        grade,
        class_type,
        is_homeroom
    from members
),

persons_of_grades as (
    select * from persons
    union all
    select
        school_id,
        person_id,
        'all' as grade,
        class_type,
        is_homeroom
    from persons
),

counts as (
    select
        school_id,
        grade,
        class_type,
        count(distinct person_id) as students,
        count(distinct case when is_homeroom then person_id end) as homeroom_students
    from (
        select school_id, person_id, grade, class_type, is_homeroom from persons_of_grades
        union all
        select school_id, person_id, grade, 'all' as class_type, is_homeroom from persons_of_grades
    ) as either
    group by school_id, grade, class_type
),

classes_of_grades as (
    select
        school_id,
        grade,
        class_id,
        class_type,
        counts_as_class,
        count(distinct person_id) as seats
    from members
    group by school_id, grade, class_id, class_type, counts_as_class
    union all
    select
        school_id,
        'all' as grade,
        class_id,
        class_type,
        counts_as_class,
        count(distinct person_id) as seats
    from members
    group by school_id, class_id, class_type, counts_as_class
),

-- In the rows of a class type its classes are counted, homerooms, too; in the totals only what counts as a class.
seats as (
    select
        school_id,
        grade,
        class_type,
        class_id,
        seats
    from classes_of_grades
    union all
    select
        school_id,
        grade,
        'all' as class_type,
        class_id,
        seats
    from classes_of_grades
    where counts_as_class
),

classes as (
    select
        seats.school_id,
        seats.grade,
        seats.class_type,
        sum(seats.seats) as seats,
        count(*) as classes,
        {{ number('avg(class_sizes.size)') }} as mean_class_size,
        {{ percentile(0.9, 'class_sizes.size') }} as p90_class_size
    from seats
    inner join class_sizes on seats.class_id = class_sizes.class_id
    group by seats.school_id, seats.grade, seats.class_type
)

select
    {{ today() }} as day,
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
        counts.school_id = classes.school_id
        and counts.grade = classes.grade
        and counts.class_type = classes.class_type
