-- Homerooms are left out of class views, unless a school has nothing else.
with spans as (
    select
        class_id,
        min(begin_date) as begin_date,
        max(end_date) as end_date,
        max(year_id) as year_id
    from {{ ref('bridge_class_term') }}
    group by class_id
),

schools as (
    select
        school_id,
        max(case when coalesce(class_type, 'scheduled') <> 'homeroom' and gone_on is null then 1 else 0 end) as has_other
    from {{ ref('stg_oneroster__classes') }}
    group by school_id
)

select
    classes.class_id,
    classes.title,
    classes.class_code,
    coalesce(classes.class_type, 'scheduled') as class_type,
    classes.school_id,
    classes.course_id,
    coalesce(classes.class_type, 'scheduled') = 'homeroom' as is_homeroom,
    coalesce(classes.class_type, 'scheduled') <> 'homeroom' or coalesce(schools.has_other, 0) = 0 as counts_as_class,
    spans.begin_date,
    spans.end_date,
    spans.year_id,
    classes.gone_on
from {{ ref('stg_oneroster__classes') }} as classes
left join spans on classes.class_id = spans.class_id
left join schools on classes.school_id = schools.school_id
