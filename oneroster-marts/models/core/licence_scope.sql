{{ config(materialized='view') }}
with contracts as (
    select
        contract_id,
        school_id,
        lower(vendor) as vendor,
        lower(product) as product,
        coalesce(who, 'all') as who,
        grades,
        course_codes
    from {{ ref('input_licences') }}
),

known_grades as (
    select distinct scope_grade as grade
    from {{ ref('current_member') }}
),

grades_of as (
    select distinct
        contracts.contract_id,
        contracts.school_id,
        known_grades.grade
    from contracts
    cross join known_grades
    left join {{ ref('grade_levels') }} as levels on known_grades.grade = levels.grade
    where
        {{ is_listed('known_grades.grade', 'contracts.grades') }}
        or {{ is_listed('levels.code', 'contracts.grades') }}
)

select
    contracts.contract_id,
    contracts.school_id as contract_school_id,
    contracts.vendor,
    contracts.product,
    members.school_id,
    members.class_id,
    members.grade,
    members.person_id
from contracts
inner join {{ ref('current_member') }} as members on contracts.school_id is null or contracts.school_id = members.school_id
left join grades_of
    on
        contracts.contract_id = grades_of.contract_id
        and coalesce(contracts.school_id, '') = coalesce(grades_of.school_id, '')
        and members.scope_grade = grades_of.grade
where
    (contracts.who = 'all' or contracts.who = members.role)
    and (contracts.grades is null or grades_of.grade is not null)
    and (contracts.course_codes is null or {{ is_listed('members.course_code', 'contracts.course_codes') }})
