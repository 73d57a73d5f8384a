with rows_of_the_loader as (
    {{ staged('academicSessions', [
        ('sourcedId', 'session_id', 'text'),
        ('title', 'title', 'text'),
        ('type', 'session_type', 'text'),
        ('parentSourcedId', 'parent_id', 'text'),
        ('startDate', 'begin_date', 'date'),
        ('endDate', 'last_date', 'date'),
        ('schoolYear', 'school_year', 'text'),
    ]) }}
)

select
    session_id,
    title,
    session_type,
    parent_id,
    begin_date,
    {{ exclusive_end('last_date') }} as end_date,
    school_year
from rows_of_the_loader
