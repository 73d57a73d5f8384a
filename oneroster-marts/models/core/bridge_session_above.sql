-- A session with itself and each session above it. Of a circle of parents, ten steps are read.
with recursive climb as (
    select
        session_id,
        session_id as above_id,
        parent_id,
        0 as steps
    from {{ ref('stg_oneroster__academic_sessions') }}
    union all
    select
        climb.session_id,
        sessions.session_id as above_id,
        sessions.parent_id,
        climb.steps + 1 as steps
    from climb
    inner join {{ ref('stg_oneroster__academic_sessions') }} as sessions on climb.parent_id = sessions.session_id
    where climb.steps < 10
)

select
    session_id,
    above_id,
    min(steps) as steps
from climb
group by session_id, above_id
