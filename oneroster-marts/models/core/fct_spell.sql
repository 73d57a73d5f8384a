-- A student's time at a school: enrollments of the student there, merged where they part by at most 14 days, breaks left out.
-- Half-open: begin_date <= day < end_date.
with enrollments as (
    select
        person_id,
        school_id,
        class_id,
        year_id,
        is_homeroom,
        first_day_basis,
        is_lost,
        begin_date,
        coalesce(end_date, cast('9999-12-31' as date)) as end_date
    from {{ ref('fct_enrollment') }}
    where role = 'student' and school_id is not null
),

ordered as (
    select
        enrollments.*,
        row_number() over (partition by person_id, school_id order by begin_date, end_date, class_id) as place,
        max(end_date) over (
            partition by person_id, school_id order by begin_date, end_date, class_id
            rows between unbounded preceding and 1 preceding
        ) as end_before
    from enrollments
    where end_date > begin_date
),

gaps as (
    select
        ordered.person_id,
        ordered.school_id,
        ordered.place,
        {{ days_from('ordered.end_before', 'ordered.begin_date') }} as days,
        sum(
            case
                when breaks.end_date > ordered.end_before and breaks.begin_date < ordered.begin_date
                    then {{ days_from('greatest(breaks.begin_date, ordered.end_before)', 'least(breaks.end_date, ordered.begin_date)') }}
                else 0
            end
        ) as break_days
    from ordered
    left join {{ ref('school_break') }} as breaks on ordered.school_id = breaks.school_id
    where {{ days_from('ordered.end_before', 'ordered.begin_date') }} > 14
    group by ordered.person_id, ordered.school_id, ordered.place, ordered.end_before, ordered.begin_date
),

numbered as (
    select
        ordered.*,
        sum(case when ordered.end_before is null or gaps.days - gaps.break_days > 14 then 1 else 0 end) over (
            partition by ordered.person_id, ordered.school_id order by ordered.place
            rows between unbounded preceding and current row
        ) as spell
    from ordered
    left join gaps
        on
            ordered.person_id = gaps.person_id
            and ordered.school_id = gaps.school_id
            and ordered.place = gaps.place
),

spells as (
    select
        person_id,
        school_id,
        spell,
        min(begin_date) as begin_date,
        max(end_date) as last_end,
        max(case when not is_lost then end_date end) as last_stated_end,
        count(distinct class_id) as classes,
        max(case when is_homeroom then 1 else 0 end) as has_homeroom,
        min(year_id) as first_year_id,
        max(year_id) as last_year_id,
        min(case when first_day_basis = 'seen' then 1 else 0 end) as is_seen_only
    from numbered
    group by person_id, school_id, spell
),

-- A spell whose enrollments vanished ended no later than the day on which the student began at the next school: that day is
-- the source's own, the other one is that of the load which found them gone.
nexts as (
    select
        spells.person_id,
        spells.school_id,
        spells.spell,
        others.begin_date as next_begin,
        row_number() over (
            partition by spells.person_id, spells.school_id, spells.spell
            order by others.classes desc, others.begin_date desc, others.school_id
        ) as place
    from spells
    inner join spells as others
        on
            spells.person_id = others.person_id
            and spells.school_id <> others.school_id
            and spells.begin_date < others.begin_date
            and spells.last_end > others.begin_date
            and spells.last_end < others.last_end
            and spells.classes <= others.classes * 2
    where spells.last_stated_end is null or spells.last_stated_end <= others.begin_date
)

select
    spells.person_id,
    spells.school_id,
    spells.spell,
    spells.begin_date,
    case
        when nexts.next_begin is not null then nexts.next_begin
        when spells.last_end < cast('9999-12-31' as date) then spells.last_end
    end as end_date,
    spells.classes,
    spells.has_homeroom = 1 as has_homeroom,
    spells.is_seen_only = 1 as is_seen_only,
    first_year.begin_date as year_begin,
    last_year.end_date as year_end
from spells
left join nexts
    on
        spells.person_id = nexts.person_id
        and spells.school_id = nexts.school_id
        and spells.spell = nexts.spell
        and nexts.place = 1
left join {{ ref('school_year') }} as first_year
    on spells.school_id = first_year.school_id and spells.first_year_id = first_year.year_id
left join {{ ref('school_year') }} as last_year
    on spells.school_id = last_year.school_id and spells.last_year_id = last_year.year_id
