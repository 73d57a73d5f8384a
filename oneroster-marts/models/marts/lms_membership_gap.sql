-- A difference counts once it stood for two loads of both sides, or if it was there on the first night: a member who is new
-- on one side tonight may be on the other tomorrow.
with firsts as (
    select
        lms,
        first_day
    from {{ ref('lms_delta') }}
    where kind = 'first load'
),

members as (
    select
        members.lms,
        members.class_id,
        members.class_key,
        members.person_id,
        members.kind,
        case when deltas.first_day <= {{ today() }} and firsts.first_day < {{ today() }} then deltas.first_day end as since,
        coalesce(
            deltas.first_day > firsts.first_day
            and deltas.first_day <= {{ today() }}
            and (deltas.first_day = {{ today() }} or reads.read_at <= deltas.first_read_at),
            false
        ) as waits
    from {{ ref('lms_member_kind') }} as members
    left join {{ ref('lms_delta') }} as deltas
        on
            members.lms = deltas.lms
            and coalesce(members.class_id, '') = deltas.class_id
            and coalesce(members.class_key, '') = deltas.class_key
            and members.person_id = deltas.person_id
            and members.kind = deltas.kind
    left join firsts on members.lms = firsts.lms
    left join {{ ref('lms_read') }} as reads on members.lms = reads.lms
)

select
    lms,
    class_id,
    class_key,
    kind,
    count(distinct person_id) as members,
    min(since) as since,
    false as suppressed
from members
where not waits
group by lms, class_id, class_key, kind
