{{ staged('users', [
    ('sourcedId', 'user_id', 'text'),
    ('username', 'username', 'text'),
    ('identifier', 'identifier', 'text'),
    ('email', 'email', 'text'),
    ('userMasterIdentifier', 'master_identifier', 'text'),
    ('userIds', 'user_ids', 'objects'),
    ('role', 'role', 'text'),
    ('grades', 'grades', 'list'),
    ('primaryOrgSourcedId', 'primary_org_id', 'text'),
    ('orgSourcedIds', 'org_ids', 'list'),
], gone=true, needs=['sourcedId', 'grades']) }}
