{{ config(materialized='view') }}
-- Vendors and products are compared in lower case: licences and activity come from different systems.
select
    lower(its.vendor) as vendor,
    lower(its.product) as product,
    its.vendor as vendor_name,
    its.product as product_name,
    known.person_id,
    coalesce(its.last_active_on > {{ plus_days(today(), -30) }}, false) as is_active,
    its.last_active_on
from {{ ref('input_vendor_activity') }} as its
left join {{ ref('user_key') }} as known
    on its.key_kind = known.key_kind and {{ as_key('its.key_kind', 'its.key') }} = known.user_key
