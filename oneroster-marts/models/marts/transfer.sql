with spells as (
    select
        spells.*,
        coalesce(spells.end_date, cast('9999-12-31' as date)) as last_end,
        row_number() over (
            partition by spells.person_id
            order by
                case when spells.school_id = persons.primary_org_id then 0 else 1 end,
                spells.classes desc,
                spells.has_homeroom desc,
                spells.school_id,
                spells.spell
        ) as importance
    from {{ ref('fct_spell') }} as spells
    left join {{ ref('dim_person') }} as persons on spells.person_id = persons.user_id
),

-- Of two schools at once for more than seven days, the less important one stands beside the other.
beside as (
    select
        spells.person_id,
        spells.school_id,
        spells.spell,
        min(others.importance) as home_importance
    from spells
    inner join spells as others
        on spells.person_id = others.person_id
        and spells.school_id <> others.school_id
        and spells.importance > others.importance
        and {{ days_from('greatest(spells.begin_date, others.begin_date)', 'least(spells.last_end, others.last_end)') }} > 7
    group by spells.person_id, spells.school_id, spells.spell
),

home as (
    select
        spells.*,
        lead(spells.school_id) over (partition by spells.person_id order by spells.begin_date, spells.last_end, spells.school_id) as next_school_id,
        lead(spells.begin_date) over (partition by spells.person_id order by spells.begin_date, spells.last_end, spells.school_id) as next_begin,
        lag(spells.school_id) over (partition by spells.person_id order by spells.begin_date, spells.last_end, spells.school_id) as school_id_before,
        lag(spells.last_end) over (partition by spells.person_id order by spells.begin_date, spells.last_end, spells.school_id) as end_before
    from spells
    left join beside
        on
            spells.person_id = beside.person_id
            and spells.school_id = beside.school_id
            and spells.spell = beside.spell
    where beside.person_id is null
),

-- A school beside the home that goes on when the home ends, and has no home after it, has become the home.
heirs as (
    select
        home.person_id,
        home.school_id,
        home.spell,
        min(spells.school_id) as heir_id
    from home
    inner join beside on home.person_id = beside.person_id and home.importance = beside.home_importance
    inner join spells
        on
            beside.person_id = spells.person_id
            and beside.school_id = spells.school_id
            and beside.spell = spells.spell
    where home.next_school_id is null and spells.last_end > {{ plus_days('home.last_end', 7) }}
    group by home.person_id, home.school_id, home.spell
),

moves as (
    -- from one home to the next
    select
        person_id,
        case when next_school_id = school_id then 're-entry' else 'transfer' end as kind,
        school_id as from_school_id,
        next_school_id as to_school_id,
        end_date,
        next_begin as first_day
    from home
    where next_school_id = school_id or next_begin <= {{ plus_days('last_end', 60) }}
    union all
    select
        home.person_id,
        'transfer' as kind,
        home.school_id as from_school_id,
        heirs.heir_id as to_school_id,
        home.end_date,
        home.end_date as first_day
    from home
    inner join heirs
        on
            home.person_id = heirs.person_id
            and home.school_id = heirs.school_id
            and home.spell = heirs.spell
    union all
    select
        spells.person_id,
        'dual' as kind,
        others.school_id as from_school_id,
        spells.school_id as to_school_id,
        others.end_date,
        spells.begin_date as first_day
    from spells
    inner join beside
        on
            spells.person_id = beside.person_id
            and spells.school_id = beside.school_id
            and spells.spell = beside.spell
    inner join spells as others
        on beside.person_id = others.person_id and beside.home_importance = others.importance
    union all
    -- out of the district before the year's end
    select
        home.person_id,
        'withdrawal' as kind,
        home.school_id as from_school_id,
        cast(null as {{ type_of('text') }}) as to_school_id,
        home.end_date,
        cast(null as date) as first_day
    from home
    left join heirs
        on
            home.person_id = heirs.person_id
            and home.school_id = heirs.school_id
            and home.spell = heirs.spell
    where
        heirs.person_id is null
        and home.end_date <= {{ today() }}
        and home.end_date < home.year_end
        and (
            home.next_school_id is null
            or (home.next_school_id <> home.school_id and home.next_begin > {{ plus_days('home.last_end', 60) }})
        )
    union all
    -- into the district well after the year's begin
    select
        person_id,
        'late entry' as kind,
        cast(null as {{ type_of('text') }}) as from_school_id,
        school_id as to_school_id,
        cast(null as date) as end_date,
        begin_date as first_day
    from home
    where
        begin_date > {{ plus_days('year_begin', 14) }}
        and begin_date <= {{ today() }}
        and not is_seen_only
        and (
            end_before is null
            or (school_id_before <> school_id and begin_date > {{ plus_days('end_before', 60) }})
        )
)

select
    person_id as student_id,
    kind,
    from_school_id,
    to_school_id,
    {{ plus_days('end_date', -1) }} as last_day,
    first_day,
    {{ days_from('end_date', 'first_day') }} as days_between
from moves
