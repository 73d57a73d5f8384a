select
    course_id,
    title,
    course_code,
    org_id,
    {{ first_item('subjects') }} as subject,
    {{ first_item('subject_codes') }} as subject_code
from {{ ref('stg_oneroster__courses') }}
