with contracts as (
    select
        its.*,
        lower(its.vendor) as vendor_key,
        lower(its.product) as product_key,
        its.school_id is null or schools.school_id is not null as is_school_known
    from {{ ref('input_licences') }} as its
    left join {{ ref('dim_school') }} as schools on its.school_id = schools.school_id
),

accounts as (
    {{ accounts_of_persons() }}
),

-- A rate of accounts: what the vendor knows and the roster does not is a fault of matching before it is one of use.
match_rates as (
    select
        vendor,
        product,
        {{ number('100.0 * count(person_id) / count(*)') }} as match_rate
    from {{ ref('vendor_account') }}
    group by vendor, product
),

-- A person is one seat of a contract, however many classes or accounts there are.
persons as (
    select
        scope.contract_id,
        scope.contract_school_id,
        scope.person_id,
        max(case when accounts.person_id is not null then 1 else 0 end) as is_matched,
        max(coalesce(accounts.is_active, 0)) as is_active,
        max(case when windows.school_id is null then null when accounts.last_active_on >= windows.begin_date then 1 else 0 end) as is_active_in_window,
        min(case when blackouts.school_id is not null then 1 else 0 end) as is_in_blackout
    from {{ ref('licence_scope') }} as scope
    left join accounts
        on scope.vendor = accounts.vendor and scope.product = accounts.product and scope.person_id = accounts.person_id
    left join {{ ref('school_blackout') }} as blackouts on scope.school_id = blackouts.school_id
    left join {{ ref('school_window') }} as windows on scope.school_id = windows.school_id
    group by scope.contract_id, scope.contract_school_id, scope.person_id
),

counts as (
    select
        contract_id,
        contract_school_id,
        count(*) as entitled,
        sum(is_matched) as matched,
        sum(is_active) as active_30,
        sum(is_active_in_window) as active_20_school_days,
        sum(is_in_blackout) as in_blackout
    from persons
    group by contract_id, contract_school_id
),

-- What is not known is empty: who is entitled at a school that the roster does not have, and use that no vendor reported.
counted as (
    select
        contracts.*,
        case when contracts.is_school_known then coalesce(counts.entitled, 0) end as entitled,
        case when contracts.is_school_known and match_rates.match_rate is not null then coalesce(counts.matched, 0) end as matched,
        case when contracts.is_school_known and match_rates.match_rate is not null then coalesce(counts.active_30, 0) end as active_30,
        case when contracts.is_school_known and match_rates.match_rate is not null
            then case when counts.entitled is null then 0 else counts.active_20_school_days end
        end as active_20_school_days,
        match_rates.match_rate,
        coalesce(counts.in_blackout, 0) * 2 >= counts.entitled as is_in_blackout
    from contracts
    left join counts
        on
            contracts.contract_id = counts.contract_id
            and coalesce(contracts.school_id, '') = coalesce(counts.contract_school_id, '')
    left join match_rates on contracts.vendor_key = match_rates.vendor and contracts.product_key = match_rates.product
)

select
    contract_id,
    vendor,
    product,
    school_id,
    seats,
    cast(entitled as {{ type_of('whole') }}) as entitled,
    cast(matched as {{ type_of('whole') }}) as matched,
    cast(active_30 as {{ type_of('whole') }}) as active_30,
    cast(active_20_school_days as {{ type_of('whole') }}) as active_20_school_days,
    cast(case when active_30 is not null then greatest(seats - active_30, 0) end as {{ type_of('whole') }}) as unused_seats,
    cast(case when active_30 is not null then greatest(active_30 - seats, 0) end as {{ type_of('whole') }}) as over_use,
    match_rate,
    {{ number("""case
        when
            active_30 is not null and match_rate >= 95
            and not coalesce(is_in_blackout, false)
            and coalesce(starts_on <= """ ~ today() ~ """, true) and coalesce(ends_on >= """ ~ today() ~ """, true)
            then greatest(seats - active_30, 0) * price_per_seat
    end""") }} as cost_unused,
    false as suppressed
from counted
