-- For whom a product is, its contracts say; without one it is for all students.
with products as (
    select
        vendor,
        product,
        min(vendor_name) as vendor_name,
        min(product_name) as product_name
    from {{ ref('vendor_account') }}
    group by vendor, product
),

accounts as (
    {{ accounts_of_persons() }}
),

members as (
    select distinct
        products.vendor,
        products.product,
        scope.school_id,
        scope.class_id,
        scope.grade,
        scope.person_id
    from products
    inner join {{ ref('licence_scope') }} as scope on products.vendor = scope.vendor and products.product = scope.product
    union all
    select distinct
        products.vendor,
        products.product,
        everybody.school_id,
        everybody.class_id,
        everybody.grade,
        everybody.person_id
    from products
    cross join {{ ref('current_member') }} as everybody
    where
        everybody.role = 'student'
        and not exists (
            select 1
            from {{ ref('input_licences') }} as contracts
            where lower(contracts.vendor) = products.vendor and lower(contracts.product) = products.product
        )
),

counts as (
    select
        members.vendor,
        members.product,
        members.school_id,
        coalesce(members.grade, 'all') as grade,
        coalesce(members.class_id, 'all') as class_id,
        count(distinct members.person_id) as enrolled,
        count(distinct accounts.person_id) as matched,
        count(distinct case when accounts.is_active = 1 then accounts.person_id end) as active_30,
        count(distinct case when accounts.last_active_on >= windows.begin_date then accounts.person_id end) as active_20_school_days,
        count(windows.begin_date) as with_window
    from members
    left join accounts
        on members.vendor = accounts.vendor and members.product = accounts.product and members.person_id = accounts.person_id
    left join {{ ref('school_window') }} as windows on members.school_id = windows.school_id
    group by grouping sets (
        (members.vendor, members.product, members.school_id, members.grade, members.class_id),
        (members.vendor, members.product, members.school_id, members.grade),
        (members.vendor, members.product, members.school_id, members.class_id),
        (members.vendor, members.product, members.school_id)
    )
)

select
    products.vendor_name as vendor,
    products.product_name as product,
    counts.school_id,
    counts.grade,
    counts.class_id,
    counts.enrolled,
    counts.matched,
    counts.active_30,
    case when counts.with_window > 0 then counts.active_20_school_days end as active_20_school_days,
    case when blackouts.school_id is null then counts.enrolled - counts.active_30 end as gap,
    false as suppressed
from counts
inner join products on counts.vendor = products.vendor and counts.product = products.product
left join {{ ref('school_blackout') }} as blackouts on counts.school_id = blackouts.school_id
