{{ versions('classes', [
    ('sourcedId', 'class_id', 'text'),
    ('title', 'title', 'text'),
    ('classType', 'class_type', 'text'),
    ('schoolSourcedId', 'school_id', 'text'),
    ('courseSourcedId', 'course_id', 'text'),
    ('termSourcedIds', 'term_ids', 'list'),
], 'classes_snapshot') }}
