{{ staged('lineItems', [
    ('sourcedId', 'line_item_id', 'text'),
    ('title', 'title', 'text'),
    ('classSourcedId', 'class_id', 'text'),
    ('categorySourcedId', 'category_id', 'text'),
    ('academicSessionSourcedId', 'session_id', 'text'),
    ('assignDate', 'assign_date', 'date'),
    ('dueDate', 'due_date', 'date'),
    ('resultValueMin', 'value_min', 'number'),
    ('resultValueMax', 'value_max', 'number'),
    ('metadata', 'metadata', 'object'),
]) }}
