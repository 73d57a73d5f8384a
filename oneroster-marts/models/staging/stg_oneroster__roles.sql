with rows_of_the_loader as (
    {{ staged('roles', [
        ('sourcedId', 'role_id', 'text'),
        ('userSourcedId', 'user_id', 'text'),
        ('role', 'role', 'text'),
        ('roleType', 'role_type', 'text'),
        ('orgSourcedId', 'org_id', 'text'),
        ('beginDate', 'begin_date', 'date'),
        ('endDate', 'last_date', 'date'),
    ], gone=true) }}
)

select
    role_id,
    user_id,
    role,
    role_type,
    org_id,
    begin_date,
    {{ exclusive_end('last_date') }} as end_date,
    gone_on
from rows_of_the_loader
