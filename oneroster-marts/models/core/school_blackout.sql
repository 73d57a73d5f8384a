{{ config(materialized='view') }}
-- Half or more of the 30 days up to today are a break, or after the last term: little use says nothing then.
with breaks as (
    select
        school_id,
        begin_date,
        end_date
    from {{ ref('school_break') }}
    union all
    select
        school_id,
        max(end_date) as begin_date,
        {{ plus_days(today(), 1) }} as end_date
    from {{ ref('school_year') }}
    group by school_id
),

cut as (
    select
        school_id,
        greatest(begin_date, {{ plus_days(today(), -29) }}) as begin_date,
        least(end_date, {{ plus_days(today(), 1) }}) as end_date
    from breaks
)

select
    school_id,
    cast(sum({{ days_from('begin_date', 'end_date') }}) as {{ type_of('whole') }}) as break_days
from cut
where begin_date < end_date
group by school_id
having sum({{ days_from('begin_date', 'end_date') }}) >= 15
