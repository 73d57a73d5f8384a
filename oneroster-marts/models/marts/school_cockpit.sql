-- depends_on: {{ ref('input_attendance') }}
select
    school_id,
    grade,
    week,
    enrolled,
    attendance_rate,
    mean_percent,
    missing_rate,
    on_worklist,
    {{ 'true' if is_given('attendance') else 'false' }} as attendance_given,
    false as suppressed
from {{ ref('cockpit_cell') }}
