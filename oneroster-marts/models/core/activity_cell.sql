{{ config(materialized='view') }}
-- Sums over classes, or over the grades of a class, can be those of a grade: classes are shown where nothing of the school
-- is hidden, and grades where they are not small, with a second one beside a small one.
with cells as (
    select
        its.*,
        hidden.school_id is not null as is_school_hidden,
        min(its.enrolled) over (partition by its.vendor, its.product, its.school_id) as smallest,
        sum(case when its.grade <> 'all' and its.class_id = 'all' and its.enrolled < {{ var('small_cell', 10) }} then 1 else 0 end)
            over (partition by its.vendor, its.product, its.school_id) as small_grades,
        row_number() over (
            partition by its.vendor, its.product, its.school_id, its.grade <> 'all' and its.class_id = 'all'
            order by its.enrolled, its.grade, its.class_id
        ) as place
    from {{ ref('activity_gap') }} as its
    left join {{ ref('hidden_product_school') }} as hidden
        on lower(its.vendor) = hidden.vendor and lower(its.product) = hidden.product and its.school_id = hidden.school_id
)

select
    cells.*,
    case
        when is_school_hidden then 0
        when class_id <> 'all' and smallest < {{ var('small_cell', 10) }} then 0
        when class_id = 'all' and grade <> 'all' and small_grades = 1 and place = 2 then 0
        else enrolled
    end as shown_size
from cells
