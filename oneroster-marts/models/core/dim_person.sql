-- Rows of users are one person where they share an identifier, a master identifier or one of userIds, with its type, and are of the same
-- kind. Never by a name. A key that more than eight rows share is no key.
with users as (
    select
        users.user_id,
        users.primary_org_id,
        users.identifier,
        users.master_identifier,
        users.gone_on,
        {{ first_item('users.grades') }} as grade_code,
        {{ item_count('users.grades') }} > 1 as is_multi_grade,
        coalesce(kinds.role_kind, 'staff') as role_kind
    from {{ ref('stg_oneroster__users') }} as users
    left join {{ ref('user_role_kind') }} as kinds on users.user_id = kinds.user_id
),

user_ids as (
    {{ each_object(ref('stg_oneroster__users'), ['user_id'], 'user_ids', ['type', 'identifier']) }}
),

keys as (
    select
        user_id,
        role_kind || '/identifier/' || identifier as strong_key
    from users
    where identifier <> ''
    union all
    select
        user_id,
        role_kind || '/master/' || master_identifier as strong_key
    from users
    where master_identifier <> ''
    union all
    select distinct
        users.user_id,
        users.role_kind || '/' || lower(user_ids.{{ adapter.quote('type') }}) || '/' || user_ids.{{ adapter.quote('identifier') }} as strong_key
    from users
    inner join user_ids on users.user_id = user_ids.user_id
    where user_ids.{{ adapter.quote('type') }} <> '' and user_ids.{{ adapter.quote('identifier') }} <> ''
),

shared as (
    select strong_key
    from keys
    group by strong_key
    having count(*) between 2 and 8
),

links as (
    select
        keys.user_id,
        keys.strong_key
    from keys
    inner join shared on keys.strong_key = shared.strong_key
),

{% for round in range(1, 4) -%}
by_key_{{ round }} as (
    select
        links.strong_key,
        min({{ 'links.user_id' if round == 1 else 'before.person_id' }}) as person_id
    from links
    {%- if round > 1 %}
    inner join by_user_{{ round - 1 }} as before on links.user_id = before.user_id
    {%- endif %}
    group by links.strong_key
),

by_user_{{ round }} as (
    select
        links.user_id,
        min(by_key_{{ round }}.person_id) as person_id
    from links
    inner join by_key_{{ round }} on links.strong_key = by_key_{{ round }}.strong_key
    group by links.user_id
),

{% endfor -%}
grades as (
    select
        code,
        grade
    from {{ ref('grade_levels') }}
)

select
    users.user_id,
    coalesce(found.person_id, users.user_id) as person_id,
    users.role_kind,
    coalesce(grades.grade, users.grade_code, 'not stated') as grade,
    users.is_multi_grade,
    users.primary_org_id,
    users.gone_on
from users
left join by_user_3 as found on users.user_id = found.user_id
left join grades on upper(users.grade_code) = grades.code
