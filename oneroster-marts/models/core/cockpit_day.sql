-- The last weeks of the year, var `cockpit_weeks`. A week is described as of its Sunday, the one of today as of today. Where no session says when the year began, the weeks are
-- those of today and a week ago.
with days as (
    {{ each_day(plus_days(monday(today()), 7 - 7 * var('cockpit_weeks', 20)), today()) }}
),

years as (
    select
        school_id,
        max(begin_date) as year_begin
    from {{ ref('school_year') }}
    where {{ is_current(today()) }}
    group by school_id
),

schools as (
    select
        schools.school_id,
        coalesce(years.year_begin, cast({{ plus_days(today(), -7) }} as date)) as year_begin
    from {{ ref('dim_school') }} as schools
    left join years on schools.school_id = years.school_id
)

select
    schools.school_id,
    cast({{ monday('days.day') }} as date) as week,
    cast(max(days.day) as date) as described_on,
    min(schools.year_begin) as year_begin
from schools
inner join days on days.day >= schools.year_begin
group by schools.school_id, {{ monday('days.day') }}
