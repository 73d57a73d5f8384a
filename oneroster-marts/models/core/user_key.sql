{{ config(materialized='view') }}
-- A key that several persons have names nobody. Parents often share an e-mail address with a pupil, and never count as users.
with keys as (
    {%- for kind, column in [('sourcedId', 'user_id'), ('identifier', 'identifier'), ('email', 'email'), ('username', 'username')] %}
    select
        '{{ kind }}' as key_kind,
        {{ as_key("'" ~ kind ~ "'", 'users.' ~ column) }} as user_key,
        persons.person_id
    from {{ ref('stg_oneroster__users') }} as users
    inner join {{ ref('dim_person') }} as persons on users.user_id = persons.user_id
    where users.{{ column }} <> '' and persons.gone_on is null and persons.role_kind <> 'family'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    key_kind,
    user_key,
    min(person_id) as person_id
from keys
group by key_kind, user_key
having count(distinct person_id) = 1
