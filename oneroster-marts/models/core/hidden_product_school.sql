{{ config(materialized='view') }}
-- Chosen once for all marts of use: with a small school the next one is hidden, or the district's total gives it away.
with sizes as (
    select
        lower(vendor) as vendor,
        lower(product) as product,
        school_id,
        enrolled as persons
    from {{ ref('activity_gap') }}
    where grade = 'all' and class_id = 'all'
    union all
    select
        lower(vendor) as vendor,
        lower(product) as product,
        school_id,
        coalesce(entitled, 0) as persons
    from {{ ref('licence_gap') }}
    where school_id is not null
),

schools as (
    select
        vendor,
        product,
        school_id,
        min(persons) as persons
    from sizes
    group by vendor, product, school_id
),

ranked as (
    select
        vendor,
        product,
        school_id,
        persons,
        sum(case when persons < {{ var('small_cell', 10) }} then 1 else 0 end) over (partition by vendor, product) as small_schools,
        row_number() over (partition by vendor, product order by persons, school_id) as place
    from schools
)

select
    vendor,
    product,
    school_id
from ranked
where persons < {{ var('small_cell', 10) }} or (small_schools = 1 and place = 2)
