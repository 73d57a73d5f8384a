-- The year of a session is the one above it of type schoolYear, of two the later one; else sessions with the same schoolYear make a year; else
-- the year in which it ends.
with sessions as (
    select * from {{ ref('stg_oneroster__academic_sessions') }}
),

years as (
    select
        above.session_id,
        above.above_id as year_id,
        row_number() over (
            partition by above.session_id
            order by coalesce(sessions.end_date, cast('0001-01-01' as date)) desc, above.above_id
        ) as place
    from {{ ref('bridge_session_above') }} as above
    inner join sessions on above.above_id = sessions.session_id
    where sessions.session_type = 'schoolYear'
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
    left join years on sessions.session_id = years.session_id and years.place = 1
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
