-- Several classes may have the key of one course of the LMS (a code that sections share), and several courses that of one
-- class: a member of the course is where it should be if the roster has the person in any of the classes.
with seen as (
    select distinct
        its.lms,
        its.class_key_kind,
        {{ as_key('its.class_key_kind', 'its.class_key') }} as class_key,
        coalesce(known.person_id, 'unknown:' || {{ as_key('its.user_key_kind', 'its.user_key') }}) as person_id,
        lower(its.role) as role
    from {{ ref('input_lms_memberships') }} as its
    left join {{ ref('user_key') }} as known
        on its.user_key_kind = known.key_kind and {{ as_key('its.user_key_kind', 'its.user_key') }} = known.user_key
    where
        lower(its.state) = 'active'
        and lower(its.role) not in ('guardian', 'parent', 'relative', 'observer')
),

roster as (
    select distinct
        school_id,
        class_id,
        person_id,
        role
    from {{ ref('fct_enrollment') }}
    where role in ('student', 'teacher') and is_present and {{ is_current(today()) }}
),

keys as (
    select
        key_kind,
        class_key,
        min(class_id) as class_id
    from {{ ref('class_key') }}
    group by key_kind, class_key
),

pairs as (
    select
        seen.lms,
        seen.class_key_kind,
        seen.class_key,
        seen.person_id,
        roster.class_id,
        max(case when seen.role = roster.role then 1 else 0 end) as is_same_role
    from seen
    inner join roster on seen.person_id = roster.person_id
    inner join {{ ref('class_key') }} as its
        on seen.class_key_kind = its.key_kind and seen.class_key = its.class_key and roster.class_id = its.class_id
    group by seen.lms, seen.class_key_kind, seen.class_key, seen.person_id, roster.class_id
),

both_sides as (
    select
        lms,
        class_id,
        person_id,
        max(is_same_role) as is_same_role
    from pairs
    group by lms, class_id, person_id
),

-- An LMS is asked about the schools of which it has a class.
schools as (
    select distinct
        seen.lms,
        classes.school_id
    from seen
    inner join {{ ref('class_key') }} as its on seen.class_key_kind = its.key_kind and seen.class_key = its.class_key
    inner join {{ ref('dim_class') }} as classes on its.class_id = classes.class_id
)

select
    lms,
    class_id,
    cast(null as {{ type_of('text') }}) as class_key,
    person_id,
    case when is_same_role = 1 then 'in_both' else 'role_differs' end as kind
from both_sides
union all
select distinct
    schools.lms,
    roster.class_id,
    cast(null as {{ type_of('text') }}) as class_key,
    roster.person_id,
    'only_roster' as kind
from roster
inner join schools on roster.school_id = schools.school_id
left join both_sides
    on schools.lms = both_sides.lms and roster.class_id = both_sides.class_id and roster.person_id = both_sides.person_id
where both_sides.lms is null
union all
select distinct
    seen.lms,
    keys.class_id,
    case when keys.class_id is null then seen.class_key end as class_key,
    seen.person_id,
    case when keys.class_id is null then 'class_not_found' else 'only_lms' end as kind
from seen
left join keys on seen.class_key_kind = keys.key_kind and seen.class_key = keys.class_key
left join pairs
    on
        seen.lms = pairs.lms
        and seen.class_key_kind = pairs.class_key_kind
        and seen.class_key = pairs.class_key
        and seen.person_id = pairs.person_id
where pairs.lms is null and seen.role in ('student', 'teacher')
