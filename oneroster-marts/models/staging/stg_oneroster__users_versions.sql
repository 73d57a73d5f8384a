{{ versions('users', [
    ('sourcedId', 'user_id', 'text'),
    ('role', 'role', 'text'),
    ('grades', 'grades', 'list'),
    ('primaryOrgSourcedId', 'primary_org_id', 'text'),
    ('orgSourcedIds', 'org_ids', 'list'),
], 'users_snapshot') }}
