{{ config(materialized='view') }}
select
    lms,
    max(read_at) as read_at
from {{ ref('input_lms_memberships') }}
group by lms
