{% snapshot enrollments_snapshot %}
{{ config(
    unique_key='enrollment_id',
    strategy='check',
    check_cols=['user_id', 'class_id', 'school_id', 'role', 'is_primary', 'begin_date', 'last_date'],
    hard_deletes='invalidate',
    enabled=not loader_keeps_versions(),
) }}
select
    enrollment_id,
    user_id,
    class_id,
    school_id,
    role,
    is_primary,
    begin_date,
    {{ inclusive_end('end_date') }} as last_date
from {{ ref('stg_oneroster__enrollments') }}
where gone_on is null
{% endsnapshot %}
