{{ config(alias='label') }}
select
    'school' as dimension,
    school_id as id,
    coalesce(name, school_id) as name,
    cast(null as date) as begin_date,
    cast(null as date) as end_date
from {{ ref('dim_school') }}
union all
select
    'course' as dimension,
    course_id as id,
    coalesce(title, course_id) as name,
    cast(null as date) as begin_date,
    cast(null as date) as end_date
from {{ ref('dim_course') }}
union all
select
    'term' as dimension,
    session_id as id,
    coalesce(title, session_id) as name,
    begin_date,
    end_date
from {{ ref('dim_session') }}
union all
select
    'contract' as dimension,
    contract_id as id,
    max(vendor || ' ' || product) as name,
    min(starts_on) as begin_date,
    max(ends_on) as end_date
from {{ ref('input_licences') }}
where contract_id is not null
group by contract_id
