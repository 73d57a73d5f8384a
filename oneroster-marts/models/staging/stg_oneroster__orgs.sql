{{ staged('orgs', [
    ('sourcedId', 'org_id', 'text'),
    ('name', 'name', 'text'),
    ('type', 'org_type', 'text'),
    ('identifier', 'identifier', 'text'),
    ('parentSourcedId', 'parent_id', 'text'),
], needs=['sourcedId', 'name', 'type']) }}
