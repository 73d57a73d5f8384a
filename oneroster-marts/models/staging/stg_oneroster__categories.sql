{{ staged('categories', [
    ('sourcedId', 'category_id', 'text'),
    ('title', 'title', 'text'),
    ('weight', 'weight', 'number'),
]) }}
