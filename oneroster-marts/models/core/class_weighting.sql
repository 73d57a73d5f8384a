-- Weights of categories, of the classes in which they add up to 100 or to 1; a class with work of no weight has no row.
with categories as (
    select distinct
        items.class_id,
        items.category_id,
        categories.weight
    from {{ ref('stg_oneroster__line_items') }} as items
    left join {{ ref('stg_oneroster__categories') }} as categories on items.category_id = categories.category_id
    where items.class_id is not null
),

whole as (
    select class_id
    from categories
    group by class_id
    having
        count(*) = count(weight)
        and min(weight) >= 0
        and (sum(weight) between 99.5 and 100.5 or sum(weight) between 0.995 and 1.005)
)

select
    categories.class_id,
    categories.category_id,
    categories.weight
from categories
inner join whole on categories.class_id = whole.class_id
