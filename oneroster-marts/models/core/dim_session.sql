-- The year of a session is the one above it of type schoolYear; else sessions with the same schoolYear make a year; else
-- the year in which it ends. Of a circle of parents, ten steps are read.
with recursive sessions as (
    select * from {{ ref('stg_oneroster__academic_sessions') }}
),

climb as (
    select
        session_id,
        session_id as above_id,
        parent_id,
        session_type,
        0 as steps
    from sessions
    union all
    select
        climb.session_id,
        sessions.session_id,
        sessions.parent_id,
        sessions.session_type,
        climb.steps + 1
    from climb
    inner join sessions on climb.parent_id = sessions.session_id
    where climb.steps < 10 and climb.session_type <> 'schoolYear'
),

years as (
    select
        session_id,
        max(above_id) as year_id
    from climb
    where session_type = 'schoolYear'
    group by session_id
),

named as (
    select
        sessions.session_id,
        sessions.title,
        sessions.session_type,
        sessions.parent_id,
        sessions.begin_date,
        sessions.end_date,
        sessions.school_year,
        coalesce(
            years.year_id,
            right(sessions.school_year, 4),
            cast(extract(year from sessions.end_date) as {{ type_of('text') }})
        ) as year_id
    from sessions
    left join years on sessions.session_id = years.session_id
),

spans as (
    select
        year_id,
        min(begin_date) as year_begin,
        max(end_date) as year_end
    from named
    group by year_id
)

select
    named.*,
    spans.year_begin,
    spans.year_end
from named
left join spans on named.year_id = spans.year_id
