-- Groups with the same number of students of each value are taken for the same students: those of two courses that all take, or of
-- two terms.
select
    mart,
    school_id,
    grade,
    course_id,
    term_id,
    demographic,
    {{ joined("value || ':' || cast(students as " ~ type_of('text') ~ ")", 'value') }} as sizes,
    cast(sum(students) as {{ type_of('whole') }}) as students
from {{ ref('demographic_cell') }}
group by mart, school_id, grade, course_id, term_id, demographic
