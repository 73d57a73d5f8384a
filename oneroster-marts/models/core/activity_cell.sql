{%- set least = var('small_cell', 10) %}
{{ config(materialized='view') }}
-- Sums over classes, or over the grades of a class, can be those of a grade: classes are shown where nothing of the school
-- is hidden. Beside a small grade others are hidden until two are, which have enough students together. A contract for some
-- grades or courses is a sum of grades or classes, too: its product has rows where none is small at all.
with parted as (
    select distinct
        lower(vendor) as vendor,
        lower(product) as product
    from {{ ref('input_licences') }}
    where grades is not null or course_codes is not null
),

cells as (
    select
        its.*,
        its.grade <> 'all' and its.class_id = 'all' as is_grade,
        hidden.school_id is not null as is_school_hidden,
        parted.vendor is not null as is_parted,
        its.enrolled < {{ least }} as is_small,
        min(its.enrolled) over (partition by its.vendor, its.product, its.school_id) as smallest,
        min(its.enrolled) over (partition by its.vendor, its.product) as smallest_of_all
    from {{ ref('activity_gap') }} as its
    left join {{ ref('hidden_product_school') }} as hidden
        on lower(its.vendor) = hidden.vendor and lower(its.product) = hidden.product and its.school_id = hidden.school_id
    left join parted on lower(its.vendor) = parted.vendor and lower(its.product) = parted.product
),

walked as (
    select
        cells.*,
        sum(case when is_grade and is_small then 1 else 0 end) over (partition by vendor, product, school_id) as small_grades,
        sum(case when is_grade and is_small then enrolled else 0 end) over (partition by vendor, product, school_id) as small_persons,
        row_number() over (
            partition by vendor, product, school_id, is_grade, is_small order by enrolled, grade, class_id
        ) - 1 as grades_before,
        coalesce(sum(enrolled) over (
            partition by vendor, product, school_id, is_grade, is_small order by enrolled, grade, class_id
            rows between unbounded preceding and 1 preceding
        ), 0) as persons_before
    from cells
)

select
    vendor,
    product,
    school_id,
    grade,
    class_id,
    enrolled,
    matched,
    active_30,
    active_20_school_days,
    gap,
    suppressed,
    case
        when is_school_hidden then 0
        when class_id <> 'all' and smallest < {{ least }} then 0
        when is_parted and smallest_of_all < {{ least }} then 0
        when
            is_grade and not is_small and small_grades > 0
            and not (small_grades + grades_before >= 2 and small_persons + persons_before >= {{ least }})
            then 0
        else enrolled
    end as shown_size
from walked
