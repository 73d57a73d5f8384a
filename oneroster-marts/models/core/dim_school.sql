select
    org_id as school_id,
    name,
    org_type,
    identifier,
    parent_id
from {{ ref('stg_oneroster__orgs') }}
where org_type in ('{{ var('school_types', ['school']) | join("', '") }}')
