-- A student is who has a student's role or a student's enrollment. Of several kinds: student, then staff, then family.
with kinds as (
    select
        user_id,
        role
    from {{ ref('stg_oneroster__roles') }}
    union all
    select
        user_id,
        role
    from {{ ref('stg_oneroster__enrollments') }}
    union all
    select
        user_id,
        role
    from {{ ref('stg_oneroster__users') }}
    where role is not null
)

select
    user_id,
    case min(
        case
            when role = 'student' then 1
            when role in ('parent', 'guardian', 'relative') then 3
            else 2
        end
    ) when 1 then 'student' when 2 then 'staff' else 'family' end as role_kind
from kinds
where role is not null and user_id is not null
group by user_id
