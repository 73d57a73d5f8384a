{{ config(materialized='view') }}
-- Chosen once for all marts of use: beside a small school others are hidden until two are, which have enough persons together, or
-- the district's total gives it away.
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
    union all
    -- what a contract of the district covers at a school
    select
        vendor,
        product,
        school_id,
        count(distinct person_id) as persons
    from {{ ref('licence_scope') }}
    where contract_school_id is null
    group by vendor, product, contract_id, school_id
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

-- Schools less the district's contract are those who are at several schools: where these are few, the smallest school is as a small one.
shared_persons as (
    select
        vendor,
        product,
        count(*) - count(distinct person_id) as persons
    from (
        select distinct
            vendor,
            product,
            school_id,
            person_id
        from {{ ref('licence_scope') }}
    ) as scope
    where exists (
        select 1
        from {{ ref('input_licences') }} as contracts
        where lower(contracts.vendor) = scope.vendor and lower(contracts.product) = scope.product and contracts.school_id is null
    )
    group by vendor, product
),

parts as (
    select
        schools.vendor,
        schools.product,
        schools.school_id,
        schools.persons,
        shared_persons.persons as shared_persons,
        row_number() over (partition by schools.vendor, schools.product order by schools.persons, schools.school_id) as place
    from schools
    left join shared_persons on schools.vendor = shared_persons.vendor and schools.product = shared_persons.product
),

walked as (
    {{- hidden_cells('parts', ['vendor', 'product'], 'school_id', ['persons'], ['persons'],
                     flag=is_small(['persons']) ~ ' or (place = 1 and shared_persons between 1 and ' ~ (var('small_cell', 10) - 1) ~ ')') }}
)

select
    vendor,
    product,
    school_id
from walked
where is_hidden
