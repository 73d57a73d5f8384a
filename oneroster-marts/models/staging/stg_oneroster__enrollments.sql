with rows_of_the_loader as (
    {{ staged('enrollments', [
        ('sourcedId', 'enrollment_id', 'text'),
        ('userSourcedId', 'user_id', 'text'),
        ('classSourcedId', 'class_id', 'text'),
        ('schoolSourcedId', 'school_id', 'text'),
        ('role', 'role', 'text'),
        ('primary', 'is_primary', 'yes_no'),
        ('beginDate', 'begin_date', 'date'),
        ('endDate', 'last_date', 'date'),
    ], gone=true, needs=['sourcedId', 'userSourcedId', 'classSourcedId', 'schoolSourcedId', 'role', 'beginDate', 'endDate']) }}
)

select
    enrollment_id,
    user_id,
    class_id,
    school_id,
    role,
    is_primary,
    begin_date,
    {{ exclusive_end('last_date') }} as end_date,
    gone_on
from rows_of_the_loader
