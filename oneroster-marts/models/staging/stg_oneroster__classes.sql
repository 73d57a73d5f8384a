{{ staged('classes', [
    ('sourcedId', 'class_id', 'text'),
    ('title', 'title', 'text'),
    ('classCode', 'class_code', 'text'),
    ('classType', 'class_type', 'text'),
    ('schoolSourcedId', 'school_id', 'text'),
    ('courseSourcedId', 'course_id', 'text'),
    ('termSourcedIds', 'term_ids', 'list'),
    ('grades', 'grades', 'list'),
    ('subjects', 'subjects', 'list'),
    ('periods', 'periods', 'list'),
], gone=true, needs=['sourcedId', 'title', 'classType', 'schoolSourcedId', 'courseSourcedId', 'termSourcedIds']) }}
