{% snapshot classes_snapshot %}
{{ config(
    unique_key='class_id',
    strategy='check',
    check_cols=['title', 'class_type', 'school_id', 'course_id', 'term_ids'],
    hard_deletes='invalidate',
    enabled=not loader_keeps_versions(),
) }}
select
    class_id,
    title,
    class_type,
    school_id,
    course_id,
    term_ids
from {{ ref('stg_oneroster__classes') }}
where gone_on is null
{% endsnapshot %}
