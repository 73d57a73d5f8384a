{{ staged('courses', [
    ('sourcedId', 'course_id', 'text'),
    ('title', 'title', 'text'),
    ('courseCode', 'course_code', 'text'),
    ('orgSourcedId', 'org_id', 'text'),
    ('schoolYearSourcedId', 'school_year_id', 'text'),
    ('grades', 'grades', 'list'),
    ('subjects', 'subjects', 'list'),
    ('subjectCodes', 'subject_codes', 'list'),
]) }}
