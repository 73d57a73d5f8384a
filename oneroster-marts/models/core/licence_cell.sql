{{ config(materialized='view') }}
select
    its.*,
    case when hidden.school_id is null then its.entitled else 0 end as shown_size
from {{ ref('licence_gap') }} as its
left join {{ ref('hidden_product_school') }} as hidden
    on lower(its.vendor) = hidden.vendor and lower(its.product) = hidden.product and its.school_id = hidden.school_id
