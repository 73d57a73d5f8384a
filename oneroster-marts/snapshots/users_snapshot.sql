{% snapshot users_snapshot %}
{{ config(
    unique_key='user_id',
    strategy='check',
    check_cols=['role', 'grades', 'primary_org_id', 'org_ids'],
    hard_deletes='invalidate',
    enabled=not loader_keeps_versions(),
) }}
select
    user_id,
    role,
    grades,
    primary_org_id,
    org_ids
from {{ ref('stg_oneroster__users') }}
where gone_on is null
{% endsnapshot %}
