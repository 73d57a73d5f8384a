{{ config(materialized='view') }}
-- Of two contracts of a product, one of which covers few persons, or few of a school, more than the other, the smaller contract is hidden: what
-- the larger one has less than the smaller one is these few.
with scope as (
    select distinct
        contract_id || '/' || coalesce(contract_school_id, '') as contract,
        vendor,
        product,
        school_id,
        person_id
    from {{ ref('licence_scope') }}
),

persons as (
    select
        contract,
        vendor,
        product,
        school_id,
        person_id
    from scope
    union all
    select distinct
        contract,
        vendor,
        product,
        'all' as school_id,
        person_id
    from scope
),

parts as (
    select
        contract,
        school_id,
        count(*) as part
    from persons
    group by contract, school_id
),

common as (
    select
        one.contract,
        other.contract as other_contract,
        one.school_id,
        count(*) as part
    from persons as one
    inner join persons as other
        on
            one.vendor = other.vendor
            and one.product = other.product
            and one.school_id = other.school_id
            and one.person_id = other.person_id
            and one.contract <> other.contract
    group by one.contract, other.contract, one.school_id
),

told as (
    select distinct
        case
            when own.part < others.part or (own.part = others.part and own.contract < others.contract) then own.contract
            else others.contract
        end as contract
    from common
    inner join parts as own_part on common.contract = own_part.contract and common.school_id = own_part.school_id
    inner join parts as other_part on common.other_contract = other_part.contract and common.school_id = other_part.school_id
    inner join parts as own on common.contract = own.contract and own.school_id = 'all'
    inner join parts as others on common.other_contract = others.contract and others.school_id = 'all'
    where
        common.part = own_part.part
        and other_part.part > common.part
        and other_part.part - common.part < {{ var('small_cell', 10) }}
)

select
    its.*,
    case when hidden.school_id is null and told.contract is null then its.entitled else 0 end as shown_size
from {{ ref('licence_gap') }} as its
left join {{ ref('hidden_product_school') }} as hidden
    on lower(its.vendor) = hidden.vendor and lower(its.product) = hidden.product and its.school_id = hidden.school_id
left join told on its.contract_id || '/' || coalesce(its.school_id, '') = told.contract
