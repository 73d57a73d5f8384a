{% snapshot roles_snapshot %}
{{ config(
    unique_key='role_id',
    strategy='check',
    check_cols=['user_id', 'role', 'role_type', 'org_id', 'begin_date', 'last_date'],
    hard_deletes='invalidate',
    enabled=not loader_keeps_versions(),
) }}
select
    role_id,
    user_id,
    role,
    role_type,
    org_id,
    begin_date,
    {{ inclusive_end('end_date') }} as last_date
from {{ ref('stg_oneroster__roles') }}
where gone_on is null
{% endsnapshot %}
