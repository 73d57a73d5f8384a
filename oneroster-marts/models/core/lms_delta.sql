-- Since when roster and LMS differ: what was here before keeps its first day, what has come to agree is gone. The row of
-- kind `first load` of each LMS marks the night before which nothing is known.
{% set before = made_before(this) %}
{% if before and (not is_given('lms_memberships') or is_after_today(before, 'last_day')) %}
select * from {{ before }}
{% else %}
with deltas as (
    select
        lms,
        coalesce(class_id, '') as class_id,
        coalesce(class_key, '') as class_key,
        person_id,
        kind
    from {{ ref('lms_member_kind') }}
    where kind <> 'in_both'
    union all
    select
        lms,
        '' as class_id,
        '' as class_key,
        '' as person_id,
        'first load' as kind
    from {{ ref('lms_read') }}
)

select
    deltas.lms,
    deltas.class_id,
    deltas.class_key,
    deltas.person_id,
    deltas.kind,
    {%- if before %}
    coalesce(earlier.first_day, {{ today() }}) as first_day,
    case when earlier.lms is null then reads.read_at else earlier.first_read_at end as first_read_at,
    {%- else %}
    {{ today() }} as first_day,
    reads.read_at as first_read_at,
    {%- endif %}
    {{ today() }} as last_day
from deltas
left join {{ ref('lms_read') }} as reads on deltas.lms = reads.lms
{%- if before %}
left join {{ before }} as earlier
    on
        deltas.lms = earlier.lms
        and deltas.class_id = earlier.class_id
        and deltas.class_key = earlier.class_key
        and deltas.person_id = earlier.person_id
        and deltas.kind = earlier.kind
{%- endif %}
{% endif %}
