select
    school_id,
    grade,
    demographic,
    value,
    students,
    {{ number('100.0 * flagged / students') }} as flagged_rate,
    {{ number('100.0 * not_judged / students') }} as cannot_say_rate,
    false as suppressed
from {{ ref('equity_cell') }}
