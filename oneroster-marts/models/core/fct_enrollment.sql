-- Half-open spans: begin_date <= day < end_date. What the source does not say is taken from the class's terms; a row that
-- is gone ends on the day on which that was found.
select
    enrollments.enrollment_id,
    enrollments.user_id,
    coalesce(persons.person_id, enrollments.user_id) as person_id,
    enrollments.class_id,
    classes.course_id,
    coalesce(enrollments.school_id, classes.school_id) as school_id,
    enrollments.role,
    coalesce(enrollments.is_primary, false) as is_primary,
    coalesce(persons.grade, 'not stated') as grade,
    coalesce(classes.class_type, 'scheduled') as class_type,
    coalesce(classes.is_homeroom, false) as is_homeroom,
    coalesce(classes.counts_as_class, true) as counts_as_class,
    coalesce(enrollments.begin_date, classes.begin_date, {{ today() }}) as begin_date,
    {{ earliest(['coalesce(enrollments.end_date, classes.end_date)', gone_as_of_today('enrollments.gone_on'), gone_as_of_today('classes.gone_on')]) }} as end_date,
    coalesce(
        enrollments.gone_on < coalesce(enrollments.end_date, classes.end_date, cast('9999-12-31' as date)), false
    ) as is_lost,
    case
        when enrollments.begin_date is not null then 'source'
        when classes.begin_date is not null then 'term'
        else 'seen'
    end as first_day_basis,
    classes.year_id,
    enrollments.gone_on is null and classes.gone_on is null and classes.class_id is not null as is_present
from {{ ref('stg_oneroster__enrollments') }} as enrollments
left join {{ ref('dim_class') }} as classes on enrollments.class_id = classes.class_id
left join {{ ref('dim_person') }} as persons on enrollments.user_id = persons.user_id
